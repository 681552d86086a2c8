// Errors of the system name the file that the user named: some name none (a folder that is read), or a temporary one.
import { readFileSync } from "node:fs";
import { CommandError } from "./errors.ts";
import { systemReason } from "./system-error.ts";

/** @throws what `work` throws; CommandError with the name of the file instead of an error of the system */
export async function atFile<T>(file: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw named(file, error);
  }
}

/** The text of a file. @throws CommandError */
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
