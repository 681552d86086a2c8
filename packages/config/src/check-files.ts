// Files that a configuration names: do they exist, can they be read, do certificate and key belong together?
// A pass of its own, so that reading a configuration touches no disk.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type Field, type Fields, fieldTable } from "./description/section.ts";
import { type Diagnostic, diagnosticAt, type Place } from "./diagnostic.ts";
import { reasonOf } from "./reading/include.ts";
import { BUILT_IN } from "./sections/plugins.ts";
import { tlsSection } from "./sections/tls.ts";
import type { AdminSection, BuiltInPlugin, TlsSection, WrenConfig } from "./wren-config.ts";

export interface FileCheck {
  readonly errors: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

export interface CheckFilesOptions {
  /** `ParseResult.locate`: adds lines and the user's own keys to the diagnostics. */
  readonly locate?: (path: readonly string[]) => Place;
  /** For the dates of certificates; without it the present time. */
  readonly now?: Date;
}

/** A file or folder that the configuration names, with the path of its native key. */
export interface NamedFile {
  readonly key: readonly string[];
  readonly file: string;
  readonly kind: "file" | "folder";
}

/** Everything that has to exist before the broker can start; also what a reload reads again. */
export function namedFiles(config: WrenConfig): NamedFile[] {
  const ofListeners = config.listeners.flatMap(({ name, tls }) =>
    tls ? tlsFiles(["listeners", name, "tls"], tls) : [],
  );
  const ofPlugins = config.plugins.flatMap((plugin) => {
    const key = ["plugins", plugin.name];
    if (plugin.origin === "path") return [{ key: [...key, "use"], file: plugin.use, kind: "file" as const }];
    if (plugin.origin === "package") return [];
    const { fields } = BUILT_IN[plugin.use as BuiltInPlugin];
    return filesOf(fields as Fields<Record<string, unknown>>, plugin.options, key);
  });
  return [...ofListeners, ...ofPlugins, ...adminFiles(config.admin)];
}

function adminFiles({ tokensFile, tls }: AdminSection): NamedFile[] {
  const named = { tokens_file: tokensFile, "tls.certificate_file": tls?.certificateFile, "tls.key_file": tls?.keyFile };
  return Object.entries(named).flatMap(([key, file]) =>
    file === undefined ? [] : [{ key: ["admin", ...key.split(".")], file, kind: "file" as const }],
  );
}

function tlsFiles(key: readonly string[], tls: TlsSection): NamedFile[] {
  const fields = tlsSection.fields as unknown as Fields<Record<string, unknown>>;
  const more = tls.sni.flatMap(({ certificateFile, keyFile }, index) => [
    { key: [...key, "sni", String(index), "certificate_file"], file: certificateFile, kind: "file" as const },
    { key: [...key, "sni", String(index), "key_file"], file: keyFile, kind: "file" as const },
  ]);
  return [...filesOf(fields, { ...tls }, key), ...more];
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

/** Looks at every file that `config` names, and whether the store's folder can be written. */
export function checkFiles(config: WrenConfig, options: CheckFilesOptions = {}): FileCheck {
  const errors: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  const place = (key: readonly string[]): Place => options.locate?.(key) ?? { key: key.join(".") };
  const error = (key: readonly string[], message: string): number => errors.push(diagnosticAt(place(key), message));
  const unusable = new Set<string>();
  for (const { key, file, kind } of namedFiles(config)) {
    const reason = unreadable(file, kind);
    if (!reason) continue;
    unusable.add(file);
    error(key, `cannot read the ${kind} ${file}: ${reason}`);
  }
  for (const { name, tls } of config.listeners) {
    if (!tls) continue;
    const report: Reports = { error, warn: (key, message) => warnings.push(diagnosticAt(place(key), message)) };
    checkTls(["listeners", name, "tls"], tls, unusable, options.now ?? new Date(), report);
  }
  const { tls: adminTls } = config.admin;
  if (adminTls !== undefined && !unusable.has(adminTls.certificateFile) && !unusable.has(adminTls.keyFile)) {
    const report: Reports = { error, warn: (key, message) => warnings.push(diagnosticAt(place(key), message)) };
    checkPair({ at: ["admin", "tls"], ...adminTls }, options.now ?? new Date(), report);
  }
  const folder = config.store.path;
  const reason = folder === undefined ? undefined : unwritable(folder);
  if (reason) error(["store", "path"], `cannot write to the folder ${folder}: ${reason}`);
  return { errors, warnings };
}

type Report = (key: readonly string[], message: string) => void;
interface Reports {
  readonly error: Report;
  readonly warn: Report;
}
interface Pair {
  readonly at: readonly string[];
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly keyPassphrase?: string;
}

/** The contents of the files of a listener, as far as they can be read at all. */
function checkTls(
  key: readonly string[],
  tls: TlsSection,
  unusable: ReadonlySet<string>,
  now: Date,
  report: Reports,
): void {
  const more = tls.sni.map((each, index): Pair => ({ at: [...key, "sni", String(index)], ...each }));
  for (const pair of [{ at: key, ...tls }, ...more]) {
    if (!unusable.has(pair.certificateFile) && !unusable.has(pair.keyFile)) checkPair(pair, now, report);
  }
  for (const [name, file, marker] of [
    ["ca_file", tls.caFile, "CERTIFICATE"],
    ["crl_file", tls.crlFile, "X509 CRL"],
  ] as const) {
    if (file === undefined || unusable.has(file) || readFileSync(file, "utf8").includes(`BEGIN ${marker}`)) continue;
    report.error([...key, name], `there is no "BEGIN ${marker}" (PEM) in ${file}`);
  }
  if (tls.caPath !== undefined && !unusable.has(tls.caPath) && readdirSync(tls.caPath).length === 0) {
    report.error([...key, "ca_path"], `the folder ${tls.caPath} is empty`);
  }
}

function checkPair(pair: Pair, now: Date, { error, warn }: Reports): void {
  const { at, certificateFile, keyFile, keyPassphrase } = pair;
  const certificateKey = [...at, "certificate_file"];
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readFileSync(certificateFile));
  } catch {
    error(certificateKey, `there is no certificate (PEM) in ${certificateFile}`);
    return;
  }
  try {
    const key = readFileSync(keyFile);
    const secret = createPrivateKey(keyPassphrase === undefined ? key : { key, passphrase: keyPassphrase });
    if (!certificate.checkPrivateKey(secret)) {
      error([...at, "key_file"], `the key in ${keyFile} does not belong to the certificate in ${certificateFile}`);
    }
  } catch {
    const why = keyPassphrase === undefined ? "no readable private key (PEM)" : "no key that the passphrase opens";
    error([...at, "key_file"], `there is ${why} in ${keyFile}`);
  }
  if (new Date(certificate.validTo) < now) warn(certificateKey, `the certificate expired on ${certificate.validTo}`);
  else if (new Date(certificate.validFrom) > now) {
    warn(certificateKey, `the certificate is not valid before ${certificate.validFrom}`);
  }
}

function unreadable(file: string, kind: "file" | "folder"): string | undefined {
  try {
    const isFolder = statSync(file).isDirectory();
    if (isFolder !== (kind === "folder")) return isFolder ? "it is a folder" : "it is not a folder";
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
