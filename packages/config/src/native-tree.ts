// Makes the native tree of a text or an object in any style: parses, includes, translates and replaces references.
import { readFileSync } from "node:fs";
import { translate } from "./amqtt/translate.ts";
import type { MarkedPlugin } from "./amqtt/translation.ts";
import { isExtension, type Style } from "./detect-style.ts";
import type { Problems } from "./diagnostic.ts";
import { type Environment, substitute } from "./reading/environment.ts";
import { type ReadFile, readNativeTree } from "./reading/include.ts";
import { lastOnes, parseYaml } from "./reading/yaml-source.ts";
import { isEmpty, map, type SourceNode } from "./source-node.ts";

export interface ParseOptions {
  /** Path of the text, for messages, relative paths and includes. Without it relative paths stay as they are written. */
  readonly file?: string;
  /** Default: what {@link detectStyle} finds. */
  readonly style?: Style;
  /** Values of `${NAME}` in native texts. Default `process.env`. */
  readonly environment?: Environment;
  /** Reads included files. Default: from the disk. */
  readonly readFile?: ReadFile;
}

/** A tree in native form; also used by `migrate`. */
export interface NativeTree {
  readonly tree: SourceNode;
  readonly style: Style;
  /** Changes of names, for `migrate`. */
  readonly notes: readonly string[];
  readonly marked: readonly MarkedPlugin[];
}

/** @param marksForeign a plugin without a counterpart becomes a placeholder instead of an error */
export function treeOfText(
  text: string,
  file: string | undefined,
  options: ParseOptions & { readonly style: Style },
  problems: Problems,
  marksForeign = false,
): NativeTree | undefined {
  const { style } = options;
  const source = file === undefined ? {} : { file };
  if (style !== "native") {
    const root = parseYaml(text, { ...source, version: "1.1", problems });
    return root && nativeTree(withoutExtensions(lastOnes(root, problems)), style, problems, marksForeign);
  }
  const readFile = options.readFile ?? ((name: string) => readFileSync(name, "utf8"));
  const root = readNativeTree(text, file, readFile, problems);
  if (root === undefined && problems.errors.length > 0) return undefined;
  const written = withoutExtensions(root ?? map([], { ...source, key: "" }));
  const tree = substitute(written, options.environment ?? process.env, problems);
  return { tree, style, notes: [], marked: [] };
}

export function nativeTree(root: SourceNode, style: Style, problems: Problems, marksForeign = false): NativeTree {
  if (style === "native" || isEmpty(root)) return { tree: root, style: "native", notes: [], marked: [] };
  const notes: string[] = [];
  const marked: MarkedPlugin[] = [];
  const tree = translate(root, style, { problems, notes, ...(marksForeign ? { marked } : {}) });
  return { tree, style, notes, marked };
}

/** Without the top-level keys that only hold anchors. */
export function withoutExtensions(root: SourceNode): SourceNode {
  if (root.kind !== "map") return root;
  return map(
    root.entries.filter(({ key }) => !isExtension(key)),
    root.place,
  );
}
