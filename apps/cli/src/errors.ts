// From whatever was thrown to one line on stderr and an exit code.
import type { ConfigError } from "@wrenmq/config";
import { CommanderError } from "commander";
import { reasonOf, systemReason } from "./system-error.ts";

/** The command was called in a way that cannot work. Exit code 2. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
  readonly code = "ERR_CLI_USAGE" as const;
}

/** The command could not do what it was asked. Exit code 1. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly code = "ERR_CLI_COMMAND" as const;
}

/** Prints the line, if the error still needs one. Returns the exit code. */
export function reportError(error: unknown): number {
  if (error instanceof CommanderError) {
    // Help and version come as errors too; commander has printed everything.
    return error.exitCode === 0 ? 0 : 2;
  }
  process.stderr.write(`wrenmq: ${lineOf(error)}\n`);
  return error instanceof UsageError ? 2 : 1;
}

/** What a user can do something with, in one line. */
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

/** The message; what it repeats of an error of the system or of TLS is said in words. */
function inWords(error: Error): string {
  let text = reasonOf(error);
  for (let { cause } = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message !== "") text = text.replaceAll(cause.message, systemReason(cause) ?? cause.message);
  }
  return text;
}

/** By its code: to load the class would slow every command down. */
function isConfigError(error: unknown): error is ConfigError {
  return error instanceof Error && "code" in error && error.code === "ERR_CONFIG" && "diagnostics" in error;
}

/** Our own errors, and those of the system (a file that is not there), say what is wrong; others are our mistakes. */
function isExpected(error: Error): boolean {
  const { code } = error as { code?: unknown };
  if (systemReason(error) !== undefined) return true;
  return typeof code === "string" && /^(ERR_(?!INVALID|ASSERTION)|E[A-Z0-9]+$)/.test(code);
}

export function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, " ");
}
