// `wrenmq config`.
import { writeFileSync } from "node:fs";
import {
  checkFiles,
  configSchema,
  type Diagnostic,
  describe,
  formatDiagnostic,
  loadConfig,
  migrate,
  riskWarnings,
} from "@wrenmq/config";
import { atFile, readText } from "../../at-file.ts";
import { CommandError } from "../../errors.ts";
import { pluginAdvice } from "../../plugins/plugin-advice.ts";

/** @throws ConfigError; CommandError when a file that it names cannot be used */
export async function checkConfig(file: string, quiet: boolean): Promise<void> {
  const { config, warnings, locate } = loadConfig(file);
  const { errors, warnings: fileWarnings } = checkFiles(config, { locate });
  say("warning", [
    ...warnings,
    ...fileWarnings,
    ...riskWarnings(config, locate),
    ...(await pluginAdvice(config, locate)),
  ]);
  say("error", errors);
  if (errors.length > 0) throw new CommandError(`${file} cannot be used: ${errors.length} to put right`);
  if (!quiet) process.stdout.write(describe(config));
}

/** @throws ConfigError, CommandError */
export async function migrateConfig(file: string, output: string | undefined): Promise<void> {
  const { yaml, changes } = migrate(readText(file), file);
  for (const change of changes) process.stderr.write(`${change}\n`);
  if (output === undefined) process.stdout.write(yaml);
  else await atFile(output, () => writeFileSync(output, yaml, { flag: "wx" }));
}

export function printSchema(): void {
  process.stdout.write(`${JSON.stringify(configSchema(), undefined, 2)}\n`);
}

function say(kind: string, found: readonly Diagnostic[]): void {
  for (const each of found) process.stderr.write(`${kind}: ${formatDiagnostic(each)}\n`);
}
