// The layout of a broker's data folder: each worker has its own store, clients are distributed by a hash over the number of
// workers, and a note in the folder has that number. Data for another number of workers (reshard.ts) are written to a new
// folder; then the note is replaced atomically.
//
//   data/                      one process: the store itself, without a note
//   data/workers.json          {"workers": 2}: worker-0, worker-1
//   data/workers.json          {"workers": 3, "folder": "shards-1"}: shards-1/worker-0 …
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeFolder } from "@wrenmq/store-file";
import { WorkersError } from "../errors.ts";
import { syncDirectory, writeDurably } from "./durable-file.ts";

const NOTE = "workers.json";
const FOLDER = /^shards-(\d+)$/;
const PART = /^worker-\d+$/;
/** What a store keeps in its directory, and what earlier numbers of workers have left beside the note. */
const FORMER = /^(?:worker-\d+|\d+\.journal|format\.json|reserve|lock\..*)$/;

export interface Shards {
  /** Number of workers that the data belong to; 1: one process. */
  readonly workers: number;
  /** Folder inside the data folder; undefined: the data folder itself. */
  readonly folder: string | undefined;
}

/**
 * @throws WorkersError when the folder is one part of the data: a broker on it would not find the other clients'
 * sessions
 */
export function refusePart(path: string): void {
  const above = dirname(path);
  const whole = FOLDER.test(basename(above)) ? dirname(above) : above;
  if (!PART.test(basename(path)) || !existsSync(join(whole, NOTE))) return;
  throw new WorkersError(
    "ERR_WORKERS_DATA",
    `${path} holds what one of several workers keeps: the folder of the data is ${whole}`,
  );
}

/**
 * @returns undefined: there are no data yet
 * @throws WorkersError
 */
export function shardsIn(path: string): Shards | undefined {
  if (!existsSync(path)) return undefined;
  const note = join(path, NOTE);
  if (existsSync(note)) return parseNote(note, readFileSync(note, "utf8"));
  const isEmpty = namesIn(path).every((name) => FOLDER.test(name));
  return isEmpty ? undefined : { workers: 1, folder: undefined };
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new WorkersError(
      "ERR_WORKERS_DATA",
      code === "ENOTDIR" ? `${path} is not a folder` : `${path} cannot be read: ${message}`,
    );
  }
}

/** The directory of one worker's store. */
export function shardPath(path: string, { workers, folder }: Shards, worker: number): string {
  if (folder === undefined) return workers === 1 ? path : join(path, `worker-${worker}`);
  return join(path, folder, `worker-${worker}`);
}

/** The directory of the store of one of `count` workers, when the data are for that number (see `prepareData`). */
export function storePath(path: string, worker: number, count: number): string {
  return shardPath(path, shardsIn(path) ?? { workers: count, folder: undefined }, worker);
}

/** Writes the note, atomically and durably. */
export function noteShards(path: string, { workers, folder }: Shards): void {
  makeFolder(path);
  const draft = join(path, `${NOTE}.new`);
  writeDurably(draft, `${JSON.stringify({ workers, ...(folder === undefined ? {} : { folder }) })}\n`);
  renameSync(draft, join(path, NOTE));
  syncDirectory(path);
}

/** An unused name of a folder for data that are written anew. */
export function nextFolder(path: string): string {
  const numbers = readdirSync(path).map((name) => Number(FOLDER.exec(name)?.[1] ?? 0));
  return `shards-${Math.max(0, ...numbers) + 1}`;
}

/**
 * Removes what does not belong to the data any more. The caller must have locked all that does.
 * @throws WorkersError
 */
export function removeLeftovers(path: string): void {
  const shards = shardsIn(path);
  if (shards === undefined) return;
  for (const name of readdirSync(path)) {
    const isFormer = shards.folder !== undefined && FORMER.test(name);
    const isDraft = FOLDER.test(name) && name !== shards.folder;
    if (isFormer || isDraft) rmSync(join(path, name), { recursive: true, force: true });
  }
}

function parseNote(note: string, text: string): Shards {
  const { workers, folder } = parsed(text);
  const isFolder = folder === undefined || (typeof folder === "string" && FOLDER.test(folder));
  const isCount = typeof workers === "number" && Number.isInteger(workers) && workers >= (folder === undefined ? 2 : 1);
  if (isFolder && isCount) return { workers, folder };
  throw new WorkersError(
    "ERR_WORKERS_DATA",
    `${note} is damaged: it must say {"workers": N}, N being the number of folders beside it`,
  );
}

function parsed(text: string): { readonly workers?: unknown; readonly folder?: unknown } {
  try {
    const note: unknown = JSON.parse(text);
    return typeof note === "object" && note !== null ? note : {};
  } catch {
    return {};
  }
}
