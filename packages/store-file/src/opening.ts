// Opens a directory: lock, format, journal, and what to do when the journal is not what it should be.
import { existsSync, mkdirSync, readFileSync, renameSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { StoreError } from "@wrenmq/store";
import type { ByteWriter } from "./byte-writer.ts";
import { Cleaner } from "./cleaner.ts";
import { copyRange } from "./copy-range.ts";
import { FORMAT_VERSION } from "./format.ts";
import { Journal, syncDirectory } from "./journal.ts";
import { Ledger } from "./ledger.ts";
import { lockDirectory, type StoreLock } from "./lock.ts";
import type { FileStoreOptions } from "./options.ts";
import { type Problem, type Recovered, recover } from "./recovery.ts";

const FORMAT_FILE = "format.json";

/** What leads from each older format to the one after it. */
export const MIGRATIONS: ReadonlyMap<number, (directory: string) => void> = new Map();

export interface OpenDirectory {
  readonly lock: StoreLock;
  readonly ledger: Ledger;
  readonly journal: Journal;
}

/** @throws StoreError ERR_STORE_LOCKED, ERR_STORE_FORMAT, ERR_STORE_DAMAGED, ERR_STORE_OPEN */
export function openDirectory(options: FileStoreOptions, segmentBytes: number, writer: ByteWriter): OpenDirectory {
  let lock: StoreLock | undefined;
  try {
    mkdirSync(options.path, { recursive: true });
    lock = lockDirectory(options.path);
    checkFormat(options.path, options.onDamage ?? "refuse");
    return { lock, ...openJournal(options, segmentBytes, writer) };
  } catch (error) {
    lock?.release();
    if (error instanceof StoreError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreError("ERR_STORE_OPEN", `the store ${options.path} cannot be opened: ${reason}`, { cause: error });
  }
}

/** Reads the record of the format, and migrates an older one. */
export function checkFormat(directory: string, onDamage: "refuse" | "setAside"): void {
  const path = join(directory, FORMAT_FILE);
  let version = FORMAT_VERSION;
  if (existsSync(path)) {
    const found = readFormat(path);
    if (found === undefined) {
      if (onDamage === "refuse")
        throw damaged(directory, [{ file: FORMAT_FILE, offset: 0, reason: "not a record of a format" }]);
      renameSync(path, `${path}.damaged-${timestamp()}`);
    } else version = found;
  }
  if (version > FORMAT_VERSION) throw newer(directory, version);
  for (; version < FORMAT_VERSION; version++) {
    const migrate = MIGRATIONS.get(version);
    if (migrate === undefined) {
      throw new StoreError("ERR_STORE_FORMAT", `the store ${directory} has format ${version}, which nothing migrates`);
    }
    migrate(directory);
    writeFormat(path, version + 1);
  }
  if (!existsSync(path)) writeFormat(path, FORMAT_VERSION);
}

function readFormat(path: string): number | undefined {
  try {
    const record = JSON.parse(readFileSync(path, "utf8")) as { store?: unknown; version?: unknown };
    return record.store === "wrenmq" && typeof record.version === "number" ? record.version : undefined;
  } catch {
    return undefined;
  }
}

function writeFormat(path: string, version: number): void {
  writeFileSync(`${path}.new`, `${JSON.stringify({ store: "wrenmq", version })}\n`, { flush: true });
  renameSync(`${path}.new`, path);
}

function openJournal(options: FileStoreOptions, segmentBytes: number, writer: ByteWriter): Omit<OpenDirectory, "lock"> {
  const { path: directory } = options;
  const ledger = new Ledger();
  const recovered = recover(directory, ledger);
  if (recovered.newerVersion !== undefined) throw newer(directory, recovered.newerVersion);
  if (recovered.problems.length > 0 && options.onDamage !== "setAside") throw damaged(directory, recovered.problems);
  cutTear(options, recovered);
  const { files, lastFrame } = recovered;
  const journal = new Journal({ directory, segmentBytes, files, lastFrame });
  try {
    if (recovered.problems.length > 0) salvage(options, recovered, ledger, journal, writer, segmentBytes);
  } catch (error) {
    journal.closeFiles();
    throw error;
  }
  return { ledger, journal };
}

/** Ends the journal before a tear. What is cut off is kept, unless it is just the half of an interrupted write. */
function cutTear(options: FileStoreOptions, { tear, torn }: Recovered): void {
  if (tear === undefined) return;
  const path = join(options.path, tear.file);
  const keptAs: string[] = [];
  const stamp = timestamp();
  if (!tear.incomplete) {
    keptAs.push(`${tear.file}.torn-${stamp}`);
    copyRange(path, tear.offset, `${path}.torn-${stamp}`);
  }
  for (const file of torn) {
    keptAs.push(`${basename(file.path)}.torn-${stamp}`);
    renameSync(file.path, `${file.path}.torn-${stamp}`);
  }
  if (tear.offset === 0) unlinkSync(path);
  else truncateSync(path, tear.offset);
  syncDirectory(options.path);
  const { file, offset, bytes } = tear;
  options.onNotice?.({ notice: "torn", file, offset, bytes, keptAs });
}

/** Writes what could be read to new files and renames the damaged ones. */
function salvage(
  options: FileStoreOptions,
  recovered: Recovered,
  ledger: Ledger,
  journal: Journal,
  writer: ByteWriter,
  segmentBytes: number,
): void {
  let lostMessages = 0;
  let lostSessions = 0;
  for (const { handle, clientId, seqs } of [...ledger.dangling()]) {
    if (clientId === undefined) {
      lostSessions++;
      ledger.dropSession(handle);
    } else for (const seq of seqs) ledger.settle(handle, seq);
    lostMessages += seqs.length;
  }
  const stamp = timestamp();
  const keptAs = [...recovered.damaged].map((file) => `${file}.damaged-${stamp}`);
  const cleaner = new Cleaner({ ledger, journal, writer, segmentBytes, maxBytes: undefined });
  cleaner.rewriteNow((file) => {
    const name = basename(file.path);
    if (recovered.damaged.has(name)) renameSync(file.path, `${file.path}.damaged-${stamp}`);
    else unlinkSync(file.path);
  });
  options.onNotice?.({ notice: "setAside", problems: recovered.problems, keptAs, lostMessages, lostSessions });
}

function damaged(directory: string, problems: readonly Problem[]): StoreError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return new StoreError(
    "ERR_STORE_DAMAGED",
    `the store ${directory} is damaged: ${first?.file} at byte ${first?.offset}: ${first?.reason}${more}. ` +
      "Nothing was changed. Restore it from a copy, or open it with onDamage: setAside, which renames the damaged " +
      "files and goes on with what can be read.",
  );
}

function newer(directory: string, version: number): StoreError {
  return new StoreError(
    "ERR_STORE_FORMAT",
    `the store ${directory} has format ${version}, this version of WrenMQ reads up to ${FORMAT_VERSION}: update WrenMQ`,
  );
}

function timestamp(): string {
  return new Date().toISOString().replaceAll(/[:.]/g, "-");
}
