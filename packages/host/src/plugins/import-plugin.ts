// Loads a plugin of others: a package, or a module on disk. An error is one line that names the cause and the place in
// the module.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { PluginSection } from "@wrenmq/config";
import { type Plugin, PluginError, type PluginErrorCode } from "@wrenmq/plugin-api";
import { resolve } from "import-meta-resolve";

const GUIDE = '("Writing a plugin" in docs/plugins.md)';
const WANTED = `a plugin is "export default definePlugin({ … })" ${GUIDE}`;

/**
 * @param folder of the configuration; packages are searched from there, then beside the broker
 * @throws PluginError ERR_PLUGIN_LOAD, ERR_PLUGIN_CONFIG
 */
export async function importPlugin(section: PluginSection, folder: string): Promise<Plugin> {
  const { name, use } = section;
  const url = section.origin === "path" ? pathToFileURL(use).href : packageUrl(section, folder);
  const module: unknown = await import(url).catch((cause: unknown) => {
    throw new PluginError("ERR_PLUGIN_LOAD", name, `${use} ${importMistake(cause, url)}`, { cause });
  });
  return madeOf(section, defaultExport(module as Readonly<Record<string, unknown>>), module as object);
}

function packageUrl({ name, use }: PluginSection, folder: string): string {
  let reason: unknown;
  for (const parent of [pathToFileURL(join(folder, "_")).href, import.meta.url]) {
    try {
      return resolve(use, parent);
    } catch (error) {
      reason ??= error;
    }
  }
  const { code } = reason as { code?: unknown };
  const what =
    code === "ERR_PACKAGE_PATH_NOT_EXPORTED"
      ? `the package has nothing to import under "${use}" (see "exports" in its package.json)`
      : `there is no package "${use}" to be found from ${folder}: install it there, or name a module by its path, such as ./plugin.js`;
  throw new PluginError("ERR_PLUGIN_LOAD", name, what, { cause: reason });
}

/** The default export. Of a module that was compiled to CommonJS it is a property of the default export. */
function defaultExport(module: Readonly<Record<string, unknown>>): unknown {
  const { default: found } = module;
  const inner = found as { readonly __esModule?: unknown; readonly default?: unknown } | null | undefined;
  return typeof inner === "object" && inner?.__esModule === true ? inner.default : found;
}

async function madeOf({ name, use, options }: PluginSection, exported: unknown, module: object): Promise<Plugin> {
  const fail = (code: PluginErrorCode, message: string, cause?: unknown): PluginError =>
    new PluginError(code, name, message, { cause });
  if (exported === undefined) {
    const others = Object.keys(module).filter((key) => key !== "default" && key !== "module.exports");
    const has = others.length === 0 ? "exports nothing" : `exports ${others.slice(0, 5).join(", ")} but no default`;
    throw fail("ERR_PLUGIN_LOAD", `${use} ${has}; ${WANTED}`);
  }
  if (isPlugin(exported)) {
    if (Object.keys(options).length === 0) return exported;
    throw fail("ERR_PLUGIN_CONFIG", `takes no options: the default export of ${use} is a finished plugin`);
  }
  if (isClass(exported)) throw fail("ERR_PLUGIN_LOAD", `the default export of ${use} is a class; ${WANTED}`);
  if (typeof exported !== "function") {
    throw fail("ERR_PLUGIN_LOAD", `the default export of ${use} is ${kindOf(exported)}; ${WANTED}`);
  }
  let made: unknown;
  try {
    made = await (exported as (given: unknown) => unknown)(options);
  } catch (error) {
    const known = pluginErrorOf(error, name);
    if (known !== undefined) throw known;
    throw fail("ERR_PLUGIN_CONFIG", `${use} refuses its options: ${firstLine(error)}`, error);
  }
  if (isPlugin(made)) return made;
  throw fail("ERR_PLUGIN_LOAD", `the default export of ${use} is a function that returns ${kindOf(made)}; ${WANTED}`);
}

/** A plugin may have its own copy of the plugin API: its errors are of another class. */
export function pluginErrorOf(error: unknown, name: string): PluginError | undefined {
  if (error instanceof PluginError) return error.plugin === name ? error : error.of(name);
  if (!(error instanceof Error) || error.name !== "PluginError") return undefined;
  const { code, reason } = error as { code?: PluginErrorCode; reason?: unknown };
  if (code === undefined || typeof reason !== "string") return undefined;
  return new PluginError(code, name, reason, { cause: error });
}

/** Why a module could not be imported; a text that follows its name. */
function importMistake(error: unknown, url: string): string {
  const { code } = error as { code?: unknown };
  const message = firstLine(error);
  if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") {
    const missing = /Cannot find (?:package|module) '([^']+)'/.exec(message)?.[1] ?? "";
    if (url.startsWith("file:") && missing === fileURLToPath(url)) return "does not exist";
    return `imports "${missing}", which is not installed or does not exist`;
  }
  if (code === "ERR_UNSUPPORTED_DIR_IMPORT") return "is a folder: name the file in it";
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") {
    return /\.[cm]?tsx?$/.test(url)
      ? "is TypeScript, which this Node.js does not run: compile it to JavaScript"
      : "is no JavaScript module: its name has to end in .js, .mjs or .cjs";
  }
  if (error instanceof SyntaxError) {
    if (message.includes("does not provide an export named")) return `imports what is not there: ${message}`;
    return `is not valid JavaScript: ${message}${placeOfSyntax(url)}`;
  }
  if (error instanceof ReferenceError && /^(module|exports|require) is not defined/.test(message)) {
    return 'is written for CommonJS ("module.exports"), but is an ES module by its name or package.json: name it .cjs, or write "export default"';
  }
  return `fails while it is loaded: ${message}${placeOf(error)}`;
}

/** The first place in a file of an error's stack. */
function placeOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  return place(/[\s(]((?:file:\/\/)?\/[^\s()]+?):(\d+):\d+\)?$/m.exec(stack));
}

/** A syntax error has no place; `node --check` writes it in its first line. */
function placeOfSyntax(url: string): string {
  if (!url.startsWith("file:")) return "";
  const options = { encoding: "utf8", timeout: 5_000 } as const;
  const { stderr } = spawnSync(process.execPath, ["--check", fileURLToPath(url)], options);
  return place(/^((?:file:\/\/)?\/.+):(\d+)$/m.exec(stderr));
}

function place(found: RegExpExecArray | null): string {
  const [, file, line] = found ?? [];
  if (file === undefined || line === undefined) return "";
  return ` (${file.startsWith("file:") ? fileURLToPath(file) : file}:${line})`;
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split("\n")[0] ?? "").trim();
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === "object" && "hooks" in value) return "what definePlugin() is given, not what it returns";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object without name and setup" : `a ${typeof value}`;
}

function isPlugin(value: unknown): value is Plugin {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Partial<Plugin>).name === "string" &&
    typeof (value as Partial<Plugin>).setup === "function"
  );
}
