// The folder of an unfinished import: inside the directory of the store, which may be a file system of its own.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "@wrenmq/store";

export const DRAFT = "importing";

export function draftIn(directory: string): string {
  return join(directory, DRAFT);
}

/**
 * Refuses to open a directory with an unfinished import: the broker would serve clients without their sessions.
 * @throws StoreError ERR_STORE_OPEN
 */
export function refuseHalfImport(directory: string): void {
  if (!holdsAnything(draftIn(directory))) return;
  throw new StoreError(
    "ERR_STORE_OPEN",
    `the import into ${directory} was cut short: remove what is in it, and import once more`,
  );
}

function holdsAnything(directory: string): boolean {
  try {
    return readdirSync(directory).length > 0;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}
