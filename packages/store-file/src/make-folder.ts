// Makes a folder that may be there already, with those above it. Node's own `mkdir` with `recursive` never ends where the
// system says that a folder to make "does not exist", as below /proc.
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
  // The error of the system for a file in its place.
  if (missing.length === 0 && !statSync(folder).isDirectory()) mkdirSync(folder);
  for (const one of missing) {
    try {
      mkdirSync(one);
    } catch (error) {
      // Somebody else has made it in between.
      if ((error as { code?: unknown }).code !== "EEXIST") throw error;
    }
  }
}
