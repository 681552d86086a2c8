// Each worker keeps its own part of the data, by a hash over the number of workers: the folder remembers that number.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StoreSection } from "@wrenmq/config";
import { CommandError } from "../errors.ts";

const NOTE = "workers.json";

/**
 * Makes sure that a folder with data was written by as many workers as are to use it.
 * @throws CommandError
 */
export function checkShards({ path }: StoreSection, count: number): void {
  if (path === undefined) return;
  const found = shardsIn(path);
  if (found === count || (found === undefined && count === 1)) return;
  if (found !== undefined) {
    const now = count === 1 ? "without --workers" : `with --workers ${count}`;
    const before = found === 1 ? "without --workers" : `with --workers ${found}`;
    throw new CommandError(
      `${path} holds data written ${before} and cannot be used ${now}; start it as before, or with another --data folder`,
    );
  }
  mkdirSync(path, { recursive: true });
  writeNote(path, count);
}

/** How many workers the data of a folder belong to (1: one process); undefined: there are none. */
function shardsIn(path: string): number | undefined {
  const note = join(path, NOTE);
  if (!existsSync(path)) return undefined;
  if (!existsSync(note)) return readdirSync(path).length === 0 ? undefined : 1;
  const { workers } = parseNote(readFileSync(note, "utf8"));
  if (typeof workers === "number" && Number.isInteger(workers) && workers > 1) return workers;
  throw new CommandError(`${note} is damaged: it must say {"workers": N}, N being the number of folders beside it`);
}

function parseNote(text: string): { readonly workers?: unknown } {
  try {
    const note: unknown = JSON.parse(text);
    return typeof note === "object" && note !== null ? note : {};
  } catch {
    return {};
  }
}

/** All of it or nothing, also when the power fails. */
function writeNote(path: string, workers: number): void {
  const draft = join(path, `${NOTE}.new`);
  writeFileSync(draft, `${JSON.stringify({ workers })}\n`, { flush: true });
  renameSync(draft, join(path, NOTE));
}
