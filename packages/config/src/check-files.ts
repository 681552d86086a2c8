// Files that a configuration names: are they there, can they be read? A pass of its own, so that reading a configuration
// touches no disk. What is in them is the business of those who read them.
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type Field, type Fields, fieldTable } from "./description/section.ts";
import { type Diagnostic, diagnosticAt, type Place } from "./diagnostic.ts";
import { reasonOf } from "./reading/include.ts";
import { BUILT_IN } from "./sections/plugins.ts";
import type { BuiltInPlugin, WrenConfig } from "./wren-config.ts";

export interface CheckFilesOptions {
  /** `ParseResult.locate`: adds lines and the user's own keys to the diagnostics. */
  readonly locate?: (path: readonly string[]) => Place;
}

/** A file or folder that the configuration names, with the path of its native key. */
interface NamedFile {
  readonly key: readonly string[];
  readonly file: string;
  readonly kind: "file" | "folder";
}

/** What plugins need to be there; whether they can use its contents they say themselves. */
function pluginFiles(config: WrenConfig): NamedFile[] {
  return config.plugins.flatMap((plugin) => {
    const key = ["plugins", plugin.name];
    if (plugin.origin === "path") return [{ key: [...key, "use"], file: plugin.use, kind: "file" as const }];
    if (plugin.origin === "package") return [];
    const { fields } = BUILT_IN[plugin.use as BuiltInPlugin];
    return filesOf(fields as Fields<Record<string, unknown>>, plugin.options, key);
  });
}

function filesOf(
  fields: Readonly<Record<string, Field<unknown>>>,
  values: Readonly<Record<string, unknown>>,
  key: readonly string[],
): NamedFile[] {
  return fieldTable(fields).flatMap((field) => {
    const value = values[field.property];
    const kind = field.type.names;
    return kind && typeof value === "string" ? [{ key: [...key, field.key], file: value, kind }] : [];
  });
}

/**
 * Whether the files of plugins and of the admin API are there and can be read, and the store's folder can be written.
 * Of certificates and keys nothing is said: whoever reads them knows more.
 */
export function checkFiles(config: WrenConfig, options: CheckFilesOptions = {}): Diagnostic[] {
  const found: Diagnostic[] = [];
  const error = (key: readonly string[], message: string): void => {
    found.push(diagnosticAt(options.locate?.(key) ?? { key: key.join(".") }, message));
  };
  const { tokensFile } = config.admin;
  const tokens: NamedFile[] =
    tokensFile === undefined ? [] : [{ key: ["admin", "tokens_file"], file: tokensFile, kind: "file" }];
  for (const { key, file, kind } of [...pluginFiles(config), ...tokens]) {
    const reason = unreadable(file, kind);
    if (reason) error(key, `cannot read the ${kind} ${file}: ${reason}`);
  }
  const folder = config.store.path;
  const reason = folder === undefined ? undefined : unwritable(folder);
  if (reason) error(["store", "path"], `cannot write to the folder ${folder}: ${reason}`);
  return found;
}

function unreadable(file: string, kind: "file" | "folder"): string | undefined {
  try {
    const found = statSync(file);
    const isFolder = found.isDirectory();
    if (isFolder !== (kind === "folder")) return isFolder ? "it is a folder" : "it is not a folder";
    if (!isFolder && !found.isFile()) return "it is not a regular file";
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Whether the folder, or the nearest one above it that exists, refuses to be written. */
function unwritable(folder: string): string | undefined {
  let nearest = folder;
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  try {
    if (!statSync(nearest).isDirectory()) return `${nearest} is not a folder`;
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}
