// Checks everything that a configuration needs besides itself: files, certificates, plugins. `wrenmq config check`, a
// start and a reload all use it, so that they report the same, each error with its key and line.
import {
  type AdminTlsSection,
  checkFiles,
  type Diagnostic,
  diagnosticAt,
  inOrder,
  type Place,
  type TlsSection,
  type WrenConfig,
} from "@wrenmq/config";
import type { Plugin } from "@wrenmq/plugin-api";
import type { TlsCheck, TlsConfig } from "@wrenmq/transport";
import type { Describe } from "./describe.ts";
import { checkPlugin } from "./plugins/check-plugin.ts";
import { pairOf, tlsKey, tlsOf } from "./tls-options.ts";

export interface SetupOptions {
  /** `ParseResult.locate`: adds lines and the user's own keys. */
  readonly locate?: ((path: readonly string[]) => Place) | undefined;
  /** Errors that were found before: a plugin with an error in its options is not checked further. Default: none. */
  readonly known?: readonly Diagnostic[];
  /** Running plugins by name, which are checked as they are. Default: none. */
  readonly running?: ReadonlyMap<string, Plugin>;
  /** One line about an error that a plugin throws. Default: its message. */
  readonly describe?: Describe;
}

export interface SetupCheck {
  /** What would keep a broker from starting, in the order of the file. */
  readonly errors: readonly Diagnostic[];
  /** What is worth knowing before a start; a running broker logs it itself. */
  readonly advice: readonly Diagnostic[];
  /** In the order of the configuration; incomplete when there are errors. */
  readonly plugins: readonly Plugin[];
}

/** Opens no connection and changes nothing. */
export async function checkSetup(
  config: WrenConfig,
  { locate, running, describe, known = [] }: SetupOptions = {},
): Promise<SetupCheck> {
  const at = (key: readonly string[], message: string): Diagnostic =>
    diagnosticAt(locate?.(key) ?? { key: key.join(".") }, message);
  const errors: Diagnostic[] = checkFiles(config, locate === undefined ? {} : { locate });
  const missing = new Set(errors.map(({ key }) => key));
  const isMissing = (key: readonly string[]): boolean => missing.has(at(key, "").key);
  const advice: Diagnostic[] = [];
  const report = (key: readonly string[], message: string, severity: "error" | "warning" = "error"): void => {
    (severity === "error" ? errors : advice).push(at(key, message));
  };
  for (const { name, tls } of config.listeners) {
    if (tls !== undefined) await checkTlsSection(["listeners", name, "tls"], tls, tlsOf(tls), report);
  }
  const { tls, tokensFile } = config.admin;
  if (tls !== undefined) await checkTlsSection(["admin", "tls"], tls, { certificates: [pairOf(tls)] }, report);
  if (tokensFile !== undefined && !isMissing(["admin", "tokens_file"])) {
    const { checkTokenFile } = await import("@wrenmq/auth-token");
    for (const { message } of await checkTokenFile("tokensFile", tokensFile)) report(["admin", "tokens_file"], message);
  }
  const plugins: Plugin[] = [];
  for (const section of config.plugins) {
    const { key: own } = at(["plugins", section.name], "");
    if (known.some(({ key }) => key === own || key.startsWith(`${own}.`))) continue;
    const plugin = await checkPlugin(section, {
      folder: config.folder,
      timeout: config.pluginTimeout,
      running: running?.get(section.name),
      isMissing,
      report,
      describe,
    });
    if (plugin !== undefined) plugins.push(plugin);
  }
  return { errors: inOrder(errors), advice, plugins };
}

type Report = (key: readonly string[], message: string, severity?: "error" | "warning") => void;

async function checkTlsSection(
  at: readonly string[],
  section: TlsSection | AdminTlsSection,
  options: TlsConfig,
  report: Report,
): Promise<void> {
  const { checkTls } = await import("@wrenmq/transport");
  const { problems, credentials } = await checkTls(options);
  const keyOf = (option: string | undefined): readonly string[] => [
    ...at,
    ...tlsKey(option, "sni" in section ? section : undefined),
  ];
  for (const problem of problems)
    report(keyOf(problem.key), problem.reason.replace("(ca or caPath)", "(ca_file, ca_path or ca_data)"));
  for (const credential of credentials) {
    const message = aboutDates(credential, Date.now());
    if (message !== undefined) report(keyOf(credential.key), message, "warning");
  }
}

function aboutDates(
  { kind, subject, begin, end, file }: TlsCheck["credentials"][number],
  now: number,
): string | undefined {
  const which = `${file === undefined ? "" : `${file}: `}the ${kind} ${subject}`;
  if (end !== undefined && end.getTime() < now) return `${which} expired on ${end.toISOString()}`;
  if (begin !== undefined && begin.getTime() > now) return `${which} is not valid before ${begin.toISOString()}`;
  return undefined;
}
