// Parses YAML to a tree with places. Handles the two YAML versions and duplicate keys; does not interpret the values.
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from "yaml";
import type { Place, Problems } from "../diagnostic.ts";
import { below, list, type MapEntry, map, type SourceNode, scalar } from "../source-node.ts";
import { foreignFormat } from "./foreign-format.ts";

export interface YamlOptions {
  readonly file?: string;
  /** "1.1" reads `on` and `yes` as booleans, as aMQTT does. */
  readonly version: "1.1" | "1.2";
  readonly problems: Problems;
}

// Through aliases a file of a few hundred bytes can have billions of nodes.
const MAX_NODES = 200_000;
const MAX_DEPTH = 100; // also stops an alias that contains itself

/** The tree of the one document in `text`; undefined when it is empty or has errors. */
export function parseYaml(text: string, options: YamlOptions): SourceNode | undefined {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    version: options.version,
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter,
    merge: false,
  });
  const base: Place = options.file === undefined ? { key: "" } : { file: options.file, key: "" };
  const position = (offset: number | undefined): { line?: number; column?: number } => {
    if (offset === undefined) return {};
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col };
  };
  const foreign = document.errors.length > 0 || !isMap(document.contents) ? foreignFormat(text) : undefined;
  if (foreign !== undefined) return options.problems.error({ ...base, line: foreign.line }, foreign.message);
  // An unknown tag (!!python/object) is only a warning to the parser, but its value would be misread.
  for (const problem of [...document.errors, ...document.warnings]) {
    const place = { ...base, ...position(problem.pos[0]) };
    options.problems.error(
      place,
      problem.code === "MULTIPLE_DOCS" ? ONE_DOCUMENT : notYaml(problem.message, text, place),
    );
  }
  if (options.problems.errors.length > 0 || document.contents === null) return undefined;

  let count = 0;
  let isTooDeep = false;
  const convert = (node: Node | null | undefined, parent: Place, depth: number): SourceNode => {
    const place: Place = { ...parent, ...position(node?.range?.[0]) };
    count += 1;
    isTooDeep ||= depth > MAX_DEPTH;
    if (count > MAX_NODES || isTooDeep) return tooBig(place, options.problems);
    if (isAlias(node)) return convert(node.resolve(document), place, depth + 1);
    if (isMap(node)) return map(entriesOf(node, place, depth), place);
    if (isSeq(node)) {
      return list(
        node.items.map((item, index) => convert(item as Node, below(place, index), depth + 1)),
        place,
      );
    }
    return isScalar(node) ? convertScalar(node.value, node.source, place) : scalar(null, place, "");
  };
  const entriesOf = (node: YAMLMap, place: Place, depth: number): MapEntry[] => {
    const own: MapEntry[] = [];
    const merged: MapEntry[] = [];
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const keyNode = isAlias(pair.key) ? pair.key.resolve(document) : pair.key;
      const keyPlace = { ...place, ...position(pair.key.range?.[0]) };
      if (!isScalar(keyNode)) {
        options.problems.error(keyPlace, "expected a key that is a word", "a key that is a word");
        continue;
      }
      // The text, not the value: a user named "on" or "007" is not a boolean or a number.
      const key = keyNode.source ?? String(keyNode.value);
      const value = convert(pair.value, below(keyPlace, key), depth + 1);
      if (key === "<<" && keyNode.type === "PLAIN") merged.push(...mergedEntries(value));
      else own.push({ key, place: below(keyPlace, key), value });
    }
    const names = new Set(own.map((each) => each.key));
    for (const each of merged) {
      if (!names.has(each.key)) own.push(each);
      names.add(each.key);
    }
    return own;
  };
  const root = convert(document.contents, base, 0);
  return count > MAX_NODES || isTooDeep ? undefined : root;
}

const ONE_DOCUMENT =
  "a second YAML document begins here (after ---), and one is read: put it in a file of its own, which include can name";

const notYaml = (message: string, text: string, { line }: Place): string =>
  `not valid YAML: ${message.replaceAll(/\s+/g, " ")}${addressHint(text, line)}`;

/** A hint for an IPv6 address without quotes, which YAML reads as a list. */
function addressHint(text: string, line = 0): string {
  const written = text.split("\n")[line - 1] ?? "";
  return /:\s+\[[\da-fA-F]*:[\da-fA-F:.]*\]/.test(written) ? " (put an IPv6 address in quotes)" : "";
}

/** Entries whose key was given before; the style decides whether that is an error. */
export function duplicateKeys(node: SourceNode): MapEntry[] {
  if (node.kind === "list") return node.items.flatMap(duplicateKeys);
  if (node.kind !== "map") return [];
  const seen = new Set<string>();
  return node.entries.flatMap((each) => {
    const again = seen.has(each.key) ? [each] : [];
    seen.add(each.key);
    return [...again, ...duplicateKeys(each.value)];
  });
}

/**
 * Keeps the last of keys that were given twice, as Python does, and reports the others. Keys in `mayRepeat` are left
 * alone.
 */
export function lastOnes(node: SourceNode, problems: Problems, mayRepeat: readonly string[] = ["capath"]): SourceNode {
  if (node.kind === "list")
    return list(
      node.items.map((item) => lastOnes(item, problems, mayRepeat)),
      node.place,
    );
  if (node.kind !== "map") return node;
  const last = new Map<string, MapEntry>();
  const entries = node.entries.map((each) => ({ ...each, value: lastOnes(each.value, problems, mayRepeat) }));
  for (const each of entries) {
    const before = last.get(each.key);
    if (before && !mayRepeat.includes(each.key)) problems.warn(each.place, givenTwice(before.place));
    last.set(each.key, each);
  }
  return map(
    entries.filter((each) => mayRepeat.includes(each.key) || last.get(each.key) === each),
    node.place,
  );
}

/** The message at a key that was given before. */
export const givenTwice = (before: Place | undefined): string =>
  `given twice${before?.line === undefined ? "" : ` (first in line ${before.line})`}: this one counts`;

function convertScalar(value: unknown, source: string | undefined, place: Place): SourceNode {
  const text = source ?? (value === null ? "" : String(value));
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return scalar(value, place, text);
  }
  return scalar(text, place, text); // dates and big integers of YAML 1.1: no field has such a type
}

function mergedEntries(value: SourceNode): readonly MapEntry[] {
  if (value.kind === "map") return value.entries;
  return value.kind === "list" ? value.items.flatMap(mergedEntries) : [];
}

function tooBig(place: Place, problems: Problems): SourceNode {
  const message = `more than ${MAX_NODES} values or ${MAX_DEPTH} levels (aliases count each time)`;
  if (problems.errors.at(-1)?.message !== message) problems.error(place, message);
  return scalar(null, place, "");
}
