// Checks that files which a configuration names exist and can be read. A separate pass, so that reading a configuration
// needs no disk. The contents are checked by whatever uses the file.
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

/** Files that plugins need; their contents are checked by the plugins. */
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

function clusterFiles({ cluster }: WrenConfig): NamedFile[] {
  const { credentialsFile, tls = {} } = cluster ?? {};
  const named = [
    [["credentials_file"], credentialsFile],
    [["tls", "ca_file"], tls.caFile],
    [["tls", "certificate_file"], tls.certificateFile],
    [["tls", "key_file"], tls.keyFile],
  ] as const;
  return named.flatMap(([key, file]) =>
    file === undefined ? [] : [{ key: ["cluster", ...key], file, kind: "file" as const }],
  );
}

/**
 * Checks that files of plugins, of the cluster and of the admin API can be read, and that the store's folder can be written.
 * Certificates and keys of listeners are checked by the transport.
 */
export function checkFiles(config: WrenConfig, options: CheckFilesOptions = {}): Diagnostic[] {
  const found: Diagnostic[] = [];
  const error = (key: readonly string[], message: string): void => {
    found.push(diagnosticAt(options.locate?.(key) ?? { key: key.join(".") }, message));
  };
  const { tokensFile } = config.admin;
  const tokens: NamedFile[] =
    tokensFile === undefined ? [] : [{ key: ["admin", "tokens_file"], file: tokensFile, kind: "file" }];
  for (const { key, file, kind } of [...pluginFiles(config), ...tokens, ...clusterFiles(config)]) {
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

/** The folder, or the nearest existing one above it, if it cannot be written. */
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
