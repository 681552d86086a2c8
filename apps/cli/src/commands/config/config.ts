// `wrenmq config`.
import { writeFileSync } from "node:fs";
import {
  configSchema,
  type Diagnostic,
  describe,
  formatDiagnostic,
  inOrder,
  inspectConfig,
  migrate,
  riskWarnings,
} from "@wrenmq/config";
import { checkSetup, namesFromCertificates, type SetupCheck } from "@wrenmq/host";
import { atFile, readText } from "../../at-file.ts";
import { CommandError, lineOf } from "../../errors.ts";

const NOTHING: SetupCheck = { errors: [], advice: [], plugins: [] };

/**
 * Prints all errors and warnings, in the order of the file.
 * @throws CommandError when there is an error
 */
export async function checkConfig(file: string, quiet: boolean): Promise<void> {
  const { config, errors, warnings, locate } = inspectConfig(file);
  const [first] = errors;
  // The file could not be read at all: one line reports that.
  if (config === undefined && first?.key === "" && first.line === undefined) {
    throw new CommandError(formatDiagnostic(first));
  }
  const setup =
    config === undefined
      ? NOTHING
      : await checkSetup(namesFromCertificates(config), { locate, known: errors, describe: lineOf });
  const risks = config === undefined || errors.length > 0 ? [] : riskWarnings(config, locate);
  const mistakes = [...errors, ...setup.errors];
  const found = new Map<Diagnostic, string>([
    ...[...warnings, ...risks, ...setup.advice].map((each) => [each, "warning"] as const),
    ...mistakes.map((each) => [each, "error"] as const),
  ]);
  for (const each of inOrder([...found.keys()])) {
    process.stderr.write(`${found.get(each)}: ${formatDiagnostic(each)}\n`);
  }
  if (mistakes.length > 0) {
    const count = mistakes.length === 1 ? "one mistake" : `${mistakes.length} mistakes`;
    throw new CommandError(`${file} cannot be used: ${count}`);
  }
  if (config !== undefined && !quiet) process.stdout.write(describe(config));
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
