// The public functions that read a configuration of any style from a text, a file or an object.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Reading, readingOf, type Style } from "./detect-style.ts";
import { ConfigError, type Place, Problems } from "./diagnostic.ts";
import { type Inspection, inspect, type ParseResult } from "./inspect.ts";
import { type NativeTree, nativeTree, type ParseOptions, treeOfText, withoutExtensions } from "./native-tree.ts";
import { reasonOf } from "./reading/include.ts";
import { parseYaml } from "./reading/yaml-source.ts";
import { fromPlain, lookUp } from "./source-node.ts";
import type { WrenConfig } from "./wren-config.ts";

/**
 * Reads a configuration in YAML. Relative paths become absolute if `file` is given. Only included files are opened.
 * @throws {ConfigError} with all errors, each with line and column
 */
export function parseConfig(text: string, options: ParseOptions = {}): ParseResult {
  return orThrow(inspectText(text, options));
}

/**
 * {@link parseConfig} for a file on disk.
 * @throws {ConfigError} also when the file cannot be read
 */
export function loadConfig(file: string, options: Omit<ParseOptions, "file"> = {}): ParseResult {
  return orThrow(inspectConfig(file, options));
}

/** {@link loadConfig}, but returns all errors instead of throwing. */
export function inspectConfig(file: string, options: Omit<ParseOptions, "file"> = {}): Inspection {
  try {
    return inspectText(readFileSync(file, "utf8"), { ...options, file });
  } catch (error) {
    const place = { file, key: "" };
    const message = `cannot read the configuration: ${reasonOf(error)}`;
    return { config: undefined, style: "native", errors: [{ ...place, message }], warnings: [], locate: () => place };
  }
}

/** {@link parseConfig}, but returns all errors instead of throwing. */
export function inspectText(text: string, options: ParseOptions = {}): Inspection {
  const file = options.file === undefined ? undefined : resolve(options.file);
  const reading = options.style === undefined ? readingOfText(text) : { style: options.style };
  return inspect(reading, file, (style, problems) => treeOfText(text, file, { ...options, style }, problems));
}

export interface ObjectOptions extends Pick<ParseOptions, "style"> {
  /** The folder that relative paths belong to. Default: they stay as they are. */
  readonly base?: string;
}

/**
 * Reads a plain object of any style, like `Broker(config)` of the original.
 * @throws {ConfigError} with every mistake.
 */
export function fromObject(object: unknown, options: ObjectOptions = {}): ParseResult {
  const folder = options.base === undefined ? undefined : resolve(options.base);
  const root = withoutExtensions(fromPlain(object, { ...(folder && { file: join(folder, "object") }), key: "" }));
  const reading = options.style === undefined ? readingOf(root) : { style: options.style };
  const tree = (style: Style, problems: Problems): NativeTree => {
    const include = style === "native" ? lookUp(root, "include") : undefined;
    if (include) problems.error(include.place, "only files can include files");
    return nativeTree(root, style, problems);
  };
  const found = orThrow(withoutFiles(inspect(reading, undefined, tree)));
  return folder === undefined ? found : { ...found, config: { ...found.config, folder } };
}

/** This path only makes relative paths absolute; the file need not exist. */
function withoutFiles(inspection: Inspection): Inspection {
  const named = <T extends Place>({ file: _file, ...place }: T): Omit<T, "file"> => place;
  const { errors, warnings, locate } = inspection;
  return {
    ...inspection,
    errors: errors.map(named),
    warnings: warnings.map(named),
    locate: (path) => named(locate(path)),
  };
}

/** The style of a text; an empty one is native. Errors in the YAML are ignored. */
export function detectStyle(text: string): Style {
  return readingOfText(text).style;
}

function readingOfText(text: string): Reading {
  return readingOf(parseYaml(text, { version: "1.2", problems: new Problems() }));
}

/** The configuration without a file: MQTT on localhost:1883 (127.0.0.1 and ::1), and all clients of this machine may connect. */
export function defaultConfig(): WrenConfig {
  return fromObject({}).config;
}

function orThrow({ config, errors, ...rest }: Inspection): ParseResult {
  if (errors.length > 0) throw new ConfigError(errors);
  if (!config) throw new ConfigError([{ key: "", message: "invalid configuration" }]);
  return { config, ...rest };
}
