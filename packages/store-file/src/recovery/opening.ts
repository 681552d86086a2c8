// Opens a directory: lock, format and journal, and handles a journal with problems.
import { renameSync, truncateSync, unlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { StoreError } from "@wrenmq/store";
import { Ledger } from "../index/ledger.ts";
import { Journal, syncDirectory } from "../journal/journal.ts";
import type { RecordWriter } from "../journal/record-writer.ts";
import { Cleaner } from "../maintenance/cleaner.ts";
import { makeFolder } from "../make-folder.ts";
import type { FileStoreOptions } from "../options.ts";
import { copyRange } from "./copy-range.ts";
import { checkFormat, damaged, newerFormat, timestamp } from "./format-record.ts";
import { refuseHalfImport } from "./import-draft.ts";
import { lockDirectory, type StoreLock } from "./lock.ts";
import { type Recovered, recover } from "./recovery.ts";
import { removeStore } from "./remove-store.ts";

export interface OpenDirectory {
  readonly lock: StoreLock;
  readonly ledger: Ledger;
  readonly journal: Journal;
}

/** @throws StoreError ERR_STORE_LOCKED, ERR_STORE_FORMAT, ERR_STORE_DAMAGED, ERR_STORE_OPEN */
export function openDirectory(options: FileStoreOptions, segmentBytes: number, writer: RecordWriter): OpenDirectory {
  let lock: StoreLock | undefined;
  try {
    makeFolder(options.path);
    lock = lockDirectory(options.path);
    refuseHalfImport(options.path);
    if (options.beginsEmpty === true) removeStore(options.path);
    checkFormat(options.path, options.onDamage ?? "refuse");
    return { lock, ...openJournal(options, segmentBytes, writer) };
  } catch (error) {
    lock?.release();
    if (error instanceof StoreError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreError("ERR_STORE_OPEN", `the store ${options.path} cannot be opened: ${reason}`, { cause: error });
  }
}

function openJournal(
  options: FileStoreOptions,
  segmentBytes: number,
  writer: RecordWriter,
): Omit<OpenDirectory, "lock"> {
  const { path: directory } = options;
  const ledger = new Ledger();
  const recovered = recover(directory, ledger);
  if (recovered.newerVersion !== undefined) throw newerFormat(directory, recovered.newerVersion);
  if (recovered.problems.length > 0 && options.onDamage !== "setAside") throw damaged(directory, recovered.problems);
  cutTear(options, recovered);
  const { files, lastFrame } = recovered;
  const journal = new Journal({ directory, segmentBytes, files, lastFrame, mirror: options.mirror });
  try {
    if (recovered.problems.length > 0) salvage(options, recovered, ledger, journal, writer, segmentBytes);
  } catch (error) {
    journal.closeFiles();
    throw error;
  }
  return { ledger, journal };
}

/** Ends the journal before a tear. What is cut off is kept, unless it is only a part of an interrupted write. */
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
  writer: RecordWriter,
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
  for (const number of ledger.danglingOutbox()) {
    lostMessages++;
    ledger.settleOutbox(number);
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
