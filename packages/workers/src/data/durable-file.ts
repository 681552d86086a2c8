// Writes files that survive a power failure.
import { closeSync, fsyncSync, openSync, writeFileSync } from "node:fs";

export function writeDurably(path: string, text: string): void {
  const file = openSync(path, "w");
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes created, renamed and removed files of a folder durable. Windows cannot do that, and needs it less. */
export function syncDirectory(path: string): void {
  if (process.platform === "win32") return;
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
