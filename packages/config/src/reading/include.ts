// `include` in a native file: the included files are read first, and the including file overrides them.
import { realpathSync } from "node:fs";
import { resolvePath } from "../description/scalars.ts";
import { ConfigError, type Place, Problems } from "../diagnostic.ts";
import { describeNode, lookUp, type MapEntry, map, type SourceNode } from "../source-node.ts";
import { duplicateKeys, parseYaml } from "./yaml-source.ts";

export type ReadFile = (file: string) => string;

/** The tree of a native text, with its includes merged in. */
export function readNativeTree(
  text: string,
  file: string | undefined,
  readFile: ReadFile,
  problems: Problems,
  chain: readonly string[] = [],
): SourceNode | undefined {
  const root = parseYaml(text, { ...(file === undefined ? {} : { file }), version: "1.2", problems });
  if (!root) return undefined;
  for (const { place } of duplicateKeys(root)) problems.error(place, "this key was already given");
  const include = lookUp(root, "include");
  if (root.kind !== "map" || include?.kind !== "list") return root; // anything else is reported with the section
  const own = chain.length === 0 && file !== undefined ? [realPath(file)] : chain;
  let merged: SourceNode = map([], root.place);
  for (const item of include.items) {
    if (item.kind !== "scalar" || typeof item.value !== "string") {
      problems.error(item.place, `expected the path of a file, got ${describeNode(item)}`, "the path of a file");
      continue;
    }
    const target = resolvePath(item.value, file);
    const included = readIncluded(target, item.place, readFile, problems, own);
    if (included?.kind === "map") merged = mergeNodes(merged, included);
    else if (included) problems.error(included.place, "expected a mapping at the top of an included file");
  }
  const rest = map(
    root.entries.filter((each) => each.key !== "include"),
    root.place,
  );
  return mergeNodes(merged, rest);
}

function readIncluded(
  target: string,
  place: Place,
  readFile: ReadFile,
  problems: Problems,
  chain: readonly string[],
): SourceNode | undefined {
  const real = realPath(target);
  if (chain.includes(real)) {
    return problems.error(place, `includes itself: ${[...chain.slice(chain.indexOf(real)), real].join(" → ")}`);
  }
  let text: string;
  try {
    text = readFile(target);
  } catch (error) {
    return problems.error(place, `cannot read ${target}: ${reasonOf(error)}`);
  }
  const inner = new Problems();
  const node = readNativeTree(text, target, readFile, inner, [...chain, real]);
  problems.errors.push(...inner.errors);
  problems.warnings.push(...inner.warnings);
  return node;
}

/** Mappings are merged key by key; any other value replaces the earlier one. */
function mergeNodes(earlier: SourceNode, later: SourceNode): SourceNode {
  if (earlier.kind !== "map" || later.kind !== "map") return later;
  const entries: MapEntry[] = earlier.entries.map((each) => {
    const over = later.entries.find((other) => other.key === each.key);
    return over ? { ...over, value: mergeNodes(each.value, over.value) } : each;
  });
  const added = later.entries.filter((each) => !earlier.entries.some((other) => other.key === each.key));
  return map([...entries, ...added], later.place);
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file; // missing, or only in the memory of a test
  }
}

/** What went wrong with a file, without the stack: `no such file or directory`. */
export function reasonOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known: Readonly<Record<string, string>> = {
    ENOENT: "no such file or directory",
    EACCES: "permission denied",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of the path is not a folder",
    ELOOP: "too many symbolic links",
    ENAMETOOLONG: "the name is too long",
    EPERM: "it is not permitted",
    EMFILE: "too many files are open",
    ENFILE: "too many files are open",
  };
  return known[code] ?? (error instanceof Error ? error.message : String(error));
}
