// What `config check` says about the files of built-in plugins, beyond that they can be read.
import { readFile } from "node:fs/promises";
import { type Diagnostic, diagnosticAt, type Place, type WrenConfig } from "@wrenmq/config";

/** For each plugin that has something to say about the text of its file. */
const ADVISERS: Readonly<Record<string, () => Promise<(text: string) => string[]>>> = {
  "password-file": async () => (await import("@wrenmq/auth-password")).passwordFileAdvice,
  scram: async () => (await import("@wrenmq/auth-scram")).scramFileAdvice,
};

/** `locate` (of the parse result) adds lines. Files that cannot be read are somebody else's business. */
export async function pluginAdvice(
  config: WrenConfig,
  locate: (path: readonly string[]) => Place,
): Promise<readonly Diagnostic[]> {
  const found: Diagnostic[] = [];
  for (const { name, use, origin, options } of config.plugins) {
    const adviser = origin === "built-in" && Object.hasOwn(ADVISERS, use) ? ADVISERS[use] : undefined;
    const file = options["file"];
    if (adviser === undefined || typeof file !== "string") continue;
    const text = await readFile(file, "utf8").catch(() => "");
    for (const message of (await adviser())(text)) {
      found.push(diagnosticAt(locate(["plugins", name, "file"]), `${file}: ${message}`));
    }
  }
  return found;
}
