// Advice about the files of built-in plugins for `config check`, beyond whether they can be read.
import { readFile } from "node:fs/promises";
import { type Diagnostic, diagnosticAt, type Place, type WrenConfig } from "@wrenmq/config";

/** By plugin, a function from the text of its file to its advice. */
const ADVISERS: Readonly<Record<string, () => Promise<(text: string) => string[]>>> = {
  "password-file": async () => (await import("@wrenmq/auth-password")).passwordFileAdvice,
  scram: async () => (await import("@wrenmq/auth-scram")).scramFileAdvice,
};

/** @param locate of the parse result, to add lines. Files that cannot be read are reported elsewhere */
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
