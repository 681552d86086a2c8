// Creates a folder, with those above it, unless it exists. Node's `mkdir` with `recursive` never returns where the
// system reports that a folder to be created "does not exist", as below /proc.
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** @throws the system's error */
export function makeFolder(path: string): void {
  const missing: string[] = [];
  let folder = resolve(path);
  while (!existsSync(folder) && dirname(folder) !== folder) {
    missing.unshift(folder);
    folder = dirname(folder);
  }
  // The system's error for a file in its place.
  if (missing.length === 0 && !statSync(folder).isDirectory()) mkdirSync(folder);
  for (const one of missing) {
    try {
      mkdirSync(one);
    } catch (error) {
      // It was created meanwhile.
      if ((error as { code?: unknown }).code !== "EEXIST") throw error;
    }
  }
}
