// Reads a configuration in its style and collects all errors. Where the style is in doubt it is read in both.
import { dirname } from "node:path";
import type { Reading, Style } from "./detect-style.ts";
import { type Diagnostic, formatDiagnostic, inOrder, type Place, Problems, withoutConsequences } from "./diagnostic.ts";
import type { NativeTree } from "./native-tree.ts";
import { readNative } from "./sections/root.ts";
import { map, type SourceNode } from "./source-node.ts";
import type { WrenConfig } from "./wren-config.ts";

export interface ParseResult {
  readonly config: WrenConfig;
  readonly style: Style;
  readonly warnings: readonly Diagnostic[];
  /** The place in the text of a path of native keys (`["plugins", "staff", "file"]`), for later checks. */
  locate(path: readonly string[]): Place;
}

/** The result of reading a configuration, with or without errors. */
export interface Inspection extends Omit<ParseResult, "config"> {
  /** After errors: what could be read; undefined: nothing. */
  readonly config: WrenConfig | undefined;
  /** All errors, in the order of the file. */
  readonly errors: readonly Diagnostic[];
}

export type ReadTree = (style: Style, problems: Problems) => NativeTree | undefined;

/** Reads a tree in its style; where the style is in doubt, in both, and adds a note. */
export function inspect({ style, because }: Reading, file: string | undefined, tree: ReadTree): Inspection {
  const first = inspectAs(style, file, tree);
  if (because === undefined) return first;
  const second = inspectAs(style === "native" ? "amqtt" : "native", file, tree);
  const [one, other] = [first, second].map((each) => NAMES[each.style]);
  if (first.errors.length === 0) {
    if (second.errors.length > 0) return first;
    return withDoubt(first, file, `read as ${one}, because ${because}; ${style === "native" ? SAYS_SO : MAKES_IT}`);
  }
  if (second.errors.length === 0) {
    const reason = `as ${one} it would have mistakes, though ${because}`;
    return withDoubt(second, file, `read as ${other}: ${reason}; ${second.style === "native" ? SAYS_SO : MAKES_IT}`);
  }
  const [mistake, ...more] = first.errors as [Diagnostic, ...Diagnostic[]];
  const [line, column] = [second.errors[0]?.line, second.errors[0]?.column];
  const place = line === undefined ? "" : `${line}:${column}: `;
  const elsewhere = `${place}${formatDiagnostic({ key: second.errors[0]?.key ?? "", message: second.errors[0]?.message ?? "" })}`;
  const message = `${mistake.message} (read as ${one}, because ${because}; as ${other} its first mistake is ${elsewhere})`;
  return { ...first, errors: [{ ...mistake, message }, ...more] };
}

const NAMES: Readonly<Record<Style, string>> = {
  native: "a file of WrenMQ's own form",
  amqtt: "a file of aMQTT",
  hbmqtt: "a file of hbmqtt",
};
const SAYS_SO = '"wrenmq: 1" at its top says so';
const MAKES_IT = '"wrenmq: 1" at its top says that it is one of WrenMQ\'s own';

function withDoubt(inspection: Inspection, file: string | undefined, message: string): Inspection {
  const doubt = { ...(file === undefined ? {} : { file }), key: "", message };
  return { ...inspection, warnings: [doubt, ...inspection.warnings] };
}

function inspectAs(style: Style, file: string | undefined, read: ReadTree): Inspection {
  const problems = new Problems();
  const found = read(style, problems);
  const isReadable = found !== undefined || problems.errors.length === 0;
  const tree = found?.tree ?? map([], { key: "" });
  const config = isReadable ? readNative(tree, problems) : undefined;
  return {
    config: config && file !== undefined ? { ...config, source: file, folder: dirname(file) } : config,
    style: found?.style ?? style,
    errors: inOrder(withoutConsequences(problems.errors)),
    warnings: problems.warnings,
    locate: (path) => placeOf(tree, path),
  };
}

/** The place of the longest part of `path` that is in the text. */
function placeOf(root: SourceNode, path: readonly string[]): Place {
  let node: SourceNode = root;
  for (const part of path) {
    const next: SourceNode | undefined =
      node.kind === "map"
        ? node.entries.find((each) => each.key === part)?.value
        : node.kind === "list"
          ? node.items[Number(part)]
          : undefined;
    if (!next) break;
    node = next;
  }
  return node.place;
}
