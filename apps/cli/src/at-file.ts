// Adds the user's name of a file to errors of the system that have no name (reading a folder), or that of a temporary
// file.
import { readFileSync } from "node:fs";
import { CommandError } from "./errors.ts";
import { systemReason } from "./system-error.ts";

/** @throws what `work` throws; instead of an error of the system a CommandError with the name of the file */
export async function atFile<T>(file: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw named(file, error);
  }
}

/**
 * The text of a file.
 * @throws CommandError
 */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw named(file, error);
  }
}

function named(file: string, error: unknown): unknown {
  const reason = systemReason(error);
  return reason === undefined ? error : new CommandError(`${file}: ${reason}`, { cause: error });
}
