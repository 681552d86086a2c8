// Makes of anything that was thrown one line on stderr and an exit code.
import type { ConfigError } from "@wrenmq/config";
import { CommanderError } from "commander";
import { flushLogs } from "./log-file.ts";
import { reasonOf, systemReason } from "./system-error.ts";

/** The command line is wrong. Exit code 2. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
  readonly code = "ERR_CLI_USAGE" as const;
}

/** The command has failed. Exit code 1. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly code = "ERR_CLI_COMMAND" as const;
}

/**
 * Prints the line, unless it was printed already.
 * @returns the exit code
 */
export function reportError(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander throws for help and version too, after it has printed them.
    return error.exitCode === 0 ? 0 : 2;
  }
  flushLogs();
  process.stderr.write(`wrenmq: ${lineOf(error)}\n`);
  return error instanceof UsageError ? 2 : 1;
}

/** One line that helps the user. */
export function lineOf(error: unknown): string {
  if (isConfigError(error) && error.diagnostics.length > 1) {
    const more = error.diagnostics.length - 1;
    return oneLine(`${error.message} (and ${more} more: wrenmq config check)`);
  }
  if (!(error instanceof Error)) return oneLine(String(error));
  if (isExpected(error)) return oneLine(inWords(error));
  const where = error.stack?.split("\n")[1]?.trim() ?? "";
  return oneLine(`unexpected error, please report it: ${error.name}: ${error.message} ${where}`);
}

/** The message, with plain words for codes of the system and of TLS. */
function inWords(error: Error): string {
  let text = reasonOf(error);
  for (let { cause } = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message !== "") text = text.replaceAll(cause.message, systemReason(cause) ?? cause.message);
  }
  return text;
}

/** By its code: loading the class would slow down every command. */
function isConfigError(error: unknown): error is ConfigError {
  return error instanceof Error && "code" in error && error.code === "ERR_CONFIG" && "diagnostics" in error;
}

/** Our errors, and those of the system (a missing file), describe what is wrong; any other is a defect. */
function isExpected(error: Error): boolean {
  const { code } = error as { code?: unknown };
  if (systemReason(error) !== undefined) return true;
  return typeof code === "string" && /^(ERR_(?!INVALID|ASSERTION)|E[A-Z0-9]+$)/.test(code);
}

export function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, " ");
}
