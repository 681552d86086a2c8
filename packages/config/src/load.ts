// The doors of the package: a text, a file or an object in any style → the configuration with warnings, or ConfigError.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { translate } from "./amqtt/translate.ts";
import { type Style, styleOf } from "./detect-style.ts";
import { ConfigError, type Diagnostic, type Place, Problems } from "./diagnostic.ts";
import { type Environment, substitute } from "./reading/environment.ts";
import { type ReadFile, readNativeTree, reasonOf } from "./reading/include.ts";
import { parseYaml } from "./reading/yaml-source.ts";
import { readNative } from "./sections/root.ts";
import { fromPlain, isEmpty, lookUp, map, type SourceNode } from "./source-node.ts";
import type { WrenConfig } from "./wren-config.ts";

export interface ParseOptions {
  /** Path of the text: for messages, for relative paths and includes. */
  readonly file?: string;
  /** Without it the style is found out ({@link detectStyle}). */
  readonly style?: Style;
  /** For `${NAME}` in native texts; without it `process.env`. */
  readonly environment?: Environment;
  /** How included files are read; without it from the disk. */
  readonly readFile?: ReadFile;
}

export interface ParseResult {
  readonly config: WrenConfig;
  readonly style: Style;
  readonly warnings: readonly Diagnostic[];
  /** Where a path of native keys (`["plugins", "staff", "file"]`) stands in the text: for checks made later. */
  locate(path: readonly string[]): Place;
}

/** A tree in native form, ready to be read; shared with `migrate`. */
export interface NativeTree {
  readonly tree: SourceNode;
  readonly style: Style;
  readonly notes: readonly string[];
}

/**
 * Reads a configuration in YAML. Relative paths become absolute if `file` is given. No file but includes is opened.
 * @throws {ConfigError} with every mistake, each with line and column.
 */
export function parseConfig(text: string, options: ParseOptions = {}): ParseResult {
  const file = options.file === undefined ? undefined : resolve(options.file);
  return finish((problems) => treeOfText(text, file, options, problems), file);
}

/**
 * {@link parseConfig} for a file on the disk.
 * @throws {ConfigError} also when the file cannot be read.
 */
export function loadConfig(file: string, options: Omit<ParseOptions, "file"> = {}): ParseResult {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const message = `cannot read the configuration: ${reasonOf(error)}`;
    throw new ConfigError([{ file, key: "", message }], { cause: error });
  }
  return parseConfig(text, { ...options, file });
}

/**
 * Reads a plain object of any style, as `Broker(config)` of the original did. Relative paths stay as they are.
 * @throws {ConfigError} with every mistake.
 */
export function fromObject(object: unknown, options: Pick<ParseOptions, "style"> = {}): ParseResult {
  return finish((problems) => {
    const root = fromPlain(object);
    const style = options.style ?? styleOf(root);
    const include = style === "native" ? lookUp(root, "include") : undefined;
    if (include) problems.error(include.place, "only files can include files");
    return nativeTree(root, style, problems);
  }, undefined);
}

/** The style of a text; an empty one is native. Mistakes in the YAML do not matter here. */
export function detectStyle(text: string): Style {
  const root = parseYaml(text, { version: "1.2", problems: new Problems() });
  return styleOf(root);
}

/** What the broker does without a file: MQTT on 127.0.0.1:1883, everyone on this machine is let in. */
export function defaultConfig(): WrenConfig {
  return fromObject({}).config;
}

export function treeOfText(
  text: string,
  file: string | undefined,
  options: ParseOptions,
  problems: Problems,
): NativeTree | undefined {
  const style = options.style ?? detectStyle(text);
  const source = file === undefined ? {} : { file };
  if (style !== "native") {
    const root = parseYaml(text, { ...source, version: "1.1", problems });
    return root && nativeTree(root, style, problems);
  }
  const readFile = options.readFile ?? ((name: string) => readFileSync(name, "utf8"));
  const root = readNativeTree(text, file, readFile, problems);
  if (problems.errors.length > 0) return undefined;
  const tree = root ? substitute(root, options.environment ?? process.env, problems) : map([], { ...source, key: "" });
  return { tree, style, notes: [] };
}

function nativeTree(root: SourceNode, style: Style, problems: Problems): NativeTree {
  if (style === "native" || isEmpty(root)) return { tree: root, style: "native", notes: [] };
  const notes: string[] = [];
  return { tree: translate(root, style, { problems, notes }), style, notes };
}

function finish(read: (problems: Problems) => NativeTree | undefined, file: string | undefined): ParseResult {
  const problems = new Problems();
  const found = read(problems);
  problems.throwIfAny();
  const tree = found?.tree ?? map([], { key: "" });
  const config = readNative(tree, problems);
  problems.throwIfAny();
  if (!config) throw new ConfigError([{ key: "", message: "invalid configuration" }]);
  return {
    config: file === undefined ? config : { ...config, source: file },
    style: found?.style ?? "native",
    warnings: problems.warnings,
    locate: (path) => placeOf(tree, path),
  };
}

/** The place of the deepest part of `path` that was written. */
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
