// Directories for stores under test, and what is in them.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new empty directory that goes when the test ends. */
export function newPlace(): string {
  const path = mkdtempSync(join(tmpdir(), "wrenmq-store-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** What another process would find if this one were gone: without its lock. */
export function copyOf(path: string): string {
  const copy = newPlace();
  cpSync(path, copy, { recursive: true, filter: (from) => !/lock\.\d+$|reserve$/.test(from) });
  return copy;
}

export function journalFiles(path: string): string[] {
  return readdirSync(path)
    .filter((name) => name.endsWith(".journal"))
    .sort();
}

/** Files may go while they are counted. */
export function journalBytes(path: string): number {
  return journalFiles(path).reduce(
    (sum, name) => sum + (statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** Every file but the room set aside, as text. */
export function bytesOf(path: string): Record<string, string> {
  const all: Record<string, string> = {};
  for (const name of readdirSync(path)) {
    if (name !== "reserve") all[name] = readFileSync(join(path, name), "latin1");
  }
  return all;
}
