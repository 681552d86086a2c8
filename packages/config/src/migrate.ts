// Translates an old file to a native one with the same meaning, and lists what is different.
import { basename, resolve } from "node:path";
import { isMap, isScalar } from "yaml";
import { toDocument } from "./describe.ts";
import { ConfigError, inOrder, Problems } from "./diagnostic.ts";
import { inspectText } from "./load.ts";
import { keepComments } from "./migrate-comments.ts";
import { type ParseOptions, treeOfText } from "./native-tree.ts";
import { readNative, rootSection } from "./sections/root.ts";
import { lookUp, type SourceNode } from "./source-node.ts";

export interface Migration {
  /** The native file. Paths stay as they were written, so it belongs into the folder of the old one. */
  readonly yaml: string;
  /** One line each: renamed keys, and different behaviour. */
  readonly changes: readonly string[];
}

/**
 * Translates an aMQTT or hbmqtt file. A native file is returned unchanged. Comments are placed before the translation
 * of the line that they preceded. A plugin without a counterpart becomes a marked placeholder that has to be written.
 * @throws {ConfigError} when the old file has errors
 */
export function migrate(text: string, file?: string, options: Omit<ParseOptions, "file"> = {}): Migration {
  const { style, warnings: doubts } = inspectText(text, { ...options, ...(file === undefined ? {} : { file }) });
  const problems = new Problems();
  const found = treeOfText(text, file === undefined ? undefined : resolve(file), { ...options, style }, problems, true);
  if (found && found.style !== "native") readNative(found.tree, problems);
  if (problems.errors.length > 0) throw new ConfigError(inOrder(problems.errors));
  if (!found || found.style === "native") return { yaml: text, changes: [] };
  // Reading without file names keeps paths as they are written; writing from the tables gives every value its native
  // form.
  const config = readNative(withoutFiles(found.tree), new Problems());
  if (!config) throw new ConfigError([{ key: "", message: "the translation cannot be read" }]);
  const written = rootSection.write({ wrenmq: 1, include: [], ...config }, { mask: false });
  const document = toDocument(said(written, found.tree));
  const origin = file === undefined ? "" : `# from ${basename(file)} (${found.style})\n`;
  keepComments(text, document, found.tree);
  const plugins = document.get("plugins");
  for (const { name, comment } of found.marked) {
    const pair = isMap(plugins) ? plugins.items.find(({ key }) => isScalar(key) && key.value === name) : undefined;
    if (isScalar(pair?.key))
      pair.key.commentBefore = [pair.key.commentBefore, ` ${comment}`].filter(Boolean).join("\n");
  }
  const doubt = doubts.filter(({ key }) => key === "").map(({ message }) => message);
  const warnings = problems.warnings.map(({ line, key, message }) => {
    const where = line === undefined ? key : `line ${line}, ${key}`;
    return where === "" ? message : `${where}: ${message}`;
  });
  return { yaml: origin + document.toString({ lineWidth: 0 }), changes: [...doubt, ...found.notes, ...warnings] };
}

function withoutFiles(node: SourceNode): SourceNode {
  const { file: _file, ...place } = node.place;
  if (node.kind === "list") return { ...node, place, items: node.items.map(withoutFiles) };
  if (node.kind !== "map") return { ...node, place };
  return { ...node, place, entries: node.entries.map((each) => ({ ...each, value: withoutFiles(each.value) })) };
}

/** Keeps only what the old file has: defaults need not be written. */
function said(written: unknown, node: SourceNode): unknown {
  if (node.kind !== "map" || typeof written !== "object" || written === null) return written;
  const values = Object.entries(written).filter(([key]) => lookUp(node, key) !== undefined);
  return Object.fromEntries(values.map(([key, value]) => [key, said(value, lookUp(node, key) ?? node)]));
}
