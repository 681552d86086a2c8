// An old file → a native one that does the same, and what to know about it.
import { basename, resolve } from "node:path";
import { toYaml } from "./describe.ts";
import { ConfigError, Problems } from "./diagnostic.ts";
import { type ParseOptions, treeOfText } from "./load.ts";
import { readNative, rootSection } from "./sections/root.ts";
import { lookUp, type SourceNode } from "./source-node.ts";

export interface Migration {
  /** The native file. Paths stay as they were written, so it belongs beside the old one. Comments are not kept. */
  readonly yaml: string;
  /** One line each: what is called otherwise now, and what behaves otherwise. */
  readonly changes: readonly string[];
}

/**
 * Translates an aMQTT or hbmqtt file. A native one comes back as it is, with no changes.
 * @throws {ConfigError} when the old file has mistakes.
 */
export function migrate(text: string, file?: string, options: Omit<ParseOptions, "file"> = {}): Migration {
  const problems = new Problems();
  const found = treeOfText(text, file === undefined ? undefined : resolve(file), options, problems);
  problems.throwIfAny();
  if (!found || found.style === "native") return { yaml: text, changes: [] };
  // Read without file names, paths stay as they are written; written by the tables, every value gets its native form.
  readNative(found.tree, problems);
  problems.throwIfAny();
  const config = readNative(withoutFiles(found.tree), new Problems());
  if (!config) throw new ConfigError([{ key: "", message: "the translation cannot be read" }]);
  const written = rootSection.write({ wrenmq: 1, include: [], ...config }, { mask: false });
  const origin = file === undefined ? "" : `# from ${basename(file)} (${found.style})\n`;
  const warnings = problems.warnings.map(({ line, key, message }) => {
    const where = line === undefined ? key : `line ${line}, ${key}`;
    return where === "" ? message : `${where}: ${message}`;
  });
  return { yaml: origin + toYaml(said(written, found.tree)), changes: [...found.notes, ...warnings] };
}

function withoutFiles(node: SourceNode): SourceNode {
  const { file: _file, ...place } = node.place;
  if (node.kind === "list") return { ...node, place, items: node.items.map(withoutFiles) };
  if (node.kind !== "map") return { ...node, place };
  return { ...node, place, entries: node.entries.map((each) => ({ ...each, value: withoutFiles(each.value) })) };
}

/** Only what the old file said: defaults need not be written. */
function said(written: unknown, node: SourceNode): unknown {
  if (node.kind !== "map" || typeof written !== "object" || written === null) return written;
  const values = Object.entries(written).filter(([key]) => lookUp(node, key) !== undefined);
  return Object.fromEntries(values.map(([key, value]) => [key, said(value, lookUp(node, key) ?? node)]));
}
