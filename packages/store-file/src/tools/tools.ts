// What an operator can do with a store that no broker uses: check, copy, compact. All functions take the store's lock;
// those that only read change nothing.
import { readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NO_MESSAGE, type Store, StoreError, type StoreOp } from "@wrenmq/store";
import { entryAt, FileStore, placeOf } from "../file-store.ts";
import { Ledger, type SessionFacts } from "../index/ledger.ts";
import { BodyReader } from "../journal/body-reader.ts";
import { AWAIT_PUBCOMP } from "../journal/entry-flags.ts";
import { journalPath, syncDirectory } from "../journal/journal.ts";
import type { Place } from "../journal/place.ts";
import { RecordReader } from "../journal/record-reader.ts";
import { readMessage } from "../journal/records.ts";
import { makeFolder } from "../make-folder.ts";
import { formatProblem, holdsStore, newerFormat } from "../recovery/format-record.ts";
import { DRAFT, draftIn, refuseHalfImport } from "../recovery/import-draft.ts";
import { lockDirectory, type StoreLock } from "../recovery/lock.ts";
import { type Problem, type Recovered, recover, type Tear } from "../recovery/recovery.ts";
import {
  entryFromJson,
  messageFromJson,
  messageToJson,
  outboxFromJson,
  parseLine,
  type StoreLine,
  sessionFromLine,
  sessionToLine,
  subscriptionFromJson,
} from "./lines.ts";

export interface StoreReport {
  /** Nothing is damaged. A tear is not damage: nothing that was acknowledged is missing. */
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  /** The journal ends in a frame that was not written completely; the next opening cuts it off. */
  readonly tear: Tear | undefined;
  readonly files: number;
  /** Batches in the journal. */
  readonly frames: number;
  /** Bytes of the journal, and approximately how many of them are needed. */
  readonly bytes: number;
  readonly liveBytes: number;
  readonly sessions: number;
  readonly messages: number;
  readonly retained: number;
  /** Messages that other brokers have not confirmed. */
  readonly outbox: number;
}

/**
 * Reads the whole store and reports.
 * @throws StoreError ERR_STORE_LOCKED, ERR_STORE_OPEN
 */
export async function checkStore(path: string): Promise<StoreReport> {
  const lock = lockExisting(path);
  try {
    const { ledger, recovered } = readAll(path);
    const { problems, tear, files, frames } = recovered;
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    return {
      ok: problems.length === 0,
      problems,
      tear,
      files: files.length,
      frames,
      bytes,
      liveBytes: Math.min(bytes, ledger.liveBytes),
      sessions: ledger.sessions.size,
      messages: ledger.messages.size,
      retained: ledger.retained.size,
      outbox: ledger.outboxEntries.size,
    };
  } finally {
    lock.release();
  }
}

/** Everything in the store, line by line; of a damaged store what can be read. */
export async function* dumpStore(path: string): AsyncGenerator<StoreLine, void, undefined> {
  const lock = lockExisting(path);
  const bodies = new BodyReader((file) => journalPath(path, file));
  try {
    const { ledger, recovered } = readAll(path);
    yield* linesOf(ledger, bodies, recovered.problems);
  } finally {
    bodies.close();
    lock.release();
  }
}

/**
 * The store as text, for `importStore`: a JSON value each, without line ends.
 * @throws StoreError ERR_STORE_DAMAGED
 */
export async function* exportStore(path: string): AsyncGenerator<string, void, undefined> {
  const { ok, problems } = await checkStore(path);
  if (!ok) {
    const [first] = problems;
    throw new StoreError(
      "ERR_STORE_DAMAGED",
      `${first?.file} is damaged at byte ${first?.offset}: ${first?.reason}. dump shows what can be read`,
    );
  }
  for await (const line of dumpStore(path)) yield JSON.stringify(line);
}

/**
 * Makes a store of the result of `exportStore`. The directory must be empty or not exist; it is filled at the end.
 * @throws StoreError ERR_STORE_OPEN, ERR_STORE_LOCKED, ERR_STORE_FORMAT, ERR_STORE_FULL
 */
export async function importStore(path: string, lines: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const lock = lockEmpty(path);
  const draft = draftIn(path);
  const store = new FileStore({ path: draft, durability: "batch" });
  try {
    store.open();
    await importLines(store, lines);
    await store.close();
    // The oldest file comes last: without it there is no journal, so an incomplete import is never taken for a complete
    // one.
    for (const name of readdirSync(draft).sort().reverse()) renameSync(join(draft, name), join(path, name));
    rmdirSync(draft);
    syncDirectory(path);
  } catch (error) {
    await store.close();
    rmSync(draft, { recursive: true, force: true });
    throw error instanceof StoreError ? error : cannotImport(path, error);
  } finally {
    lock.release();
  }
}

function lockEmpty(path: string): StoreLock {
  makeDirectory(path);
  refuseUnlessEmpty(path);
  const lock = lockDirectory(path);
  try {
    // Another import may have ended before the lock was taken.
    refuseUnlessEmpty(path);
    rmSync(draftIn(path), { recursive: true, force: true });
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

function makeDirectory(path: string): void {
  try {
    makeFolder(path);
  } catch (error) {
    throw cannotImport(path, error);
  }
}

/** An interrupted import leaves a lock and its draft, which are of no use. */
function refuseUnlessEmpty(path: string): void {
  const found = readdirSync(path).find((name) => !name.startsWith("lock.") && name !== DRAFT);
  if (found === undefined) return;
  refuseHalfImport(path);
  throw new StoreError("ERR_STORE_OPEN", `the import needs an empty directory: in ${path} there is ${found}`);
}

function cannotImport(path: string, error: unknown): StoreError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError("ERR_STORE_OPEN", `the import into ${path} failed: ${reason}`, { cause: error });
}

/**
 * Writes everything that is needed to new files and removes the others.
 * @returns sizes in bytes
 */
export async function compactStore(path: string): Promise<{ readonly before: number; readonly after: number }> {
  needStore(path);
  const store = new FileStore({ path, durability: "batch" });
  store.open();
  try {
    const before = store.stats().bytes;
    await store.compact();
    return { before, after: store.stats().bytes };
  } finally {
    await store.close();
  }
}

/**
 * Changes nothing.
 * @throws StoreError ERR_STORE_FORMAT
 */
function readAll(path: string): { readonly ledger: Ledger; readonly recovered: Recovered } {
  const format = formatProblem(path);
  const ledger = new Ledger();
  const recovered = recover(path, ledger);
  if (recovered.newerVersion !== undefined) throw newerFormat(path, recovered.newerVersion);
  if (format !== undefined) recovered.problems.unshift(format);
  return { ledger, recovered };
}

function lockExisting(path: string): StoreLock {
  needStore(path);
  return lockDirectory(path);
}

function needStore(path: string): void {
  refuseHalfImport(path);
  if (!holdsStore(path)) throw new StoreError("ERR_STORE_OPEN", `there is no store at ${path}`);
}

function* linesOf(
  ledger: Ledger,
  bodies: BodyReader,
  problems: readonly Problem[],
): Generator<StoreLine, void, undefined> {
  let lines = 0;
  const shared = new Set<number>();
  const read = (place: Place): ReturnType<typeof readMessage> => readMessage(new RecordReader(bodies.read(place)));
  for (const line of factsOf(ledger, shared, read)) {
    lines++;
    yield line;
  }
  yield { type: "end", lines, ...(problems.length === 0 ? {} : { problems }) };
}

function* factsOf(
  ledger: Ledger,
  shared: Set<number>,
  read: (place: Place) => ReturnType<typeof readMessage>,
): Generator<StoreLine, void, undefined> {
  yield { type: "store", format: 2 };
  for (const facts of ledger.sessions.values()) {
    const { record } = facts;
    if (record === undefined) continue;
    const { clientId } = record.value;
    yield sessionToLine(record.value);
    for (const [filter, { value }] of facts.subscriptions)
      yield { type: "subscription", clientId, filter, subscription: value };
    for (const packetId of facts.inbound.keys()) yield { type: "inbound", clientId, packetId };
    yield* entriesOf(ledger, facts, clientId, shared, read);
  }
  for (const place of ledger.retained.values()) {
    const { setAt } = place;
    yield { type: "retained", message: messageToJson(read(place)), ...(setAt > 0 ? { setAt } : {}) };
  }
  for (const [topic, { value }] of ledger.cleared) yield { type: "cleared", topic, setAt: value };
  if (ledger.storeIdentity !== undefined) yield { type: "identity", identity: ledger.storeIdentity.value };
  for (const { value } of ledger.origins.values()) yield { type: "origin", origin: value };
  for (const { value } of ledger.outboxEntries.values()) {
    const place = placeOf(ledger, value.messageId);
    if (place === undefined) continue;
    yield* messageOnce(ledger, value.messageId, place, shared, read);
    yield { type: "outbox", entry: value };
  }
}

function* entriesOf(
  ledger: Ledger,
  { entries }: SessionFacts,
  clientId: string,
  shared: Set<number>,
  read: (place: Place) => ReturnType<typeof readMessage>,
): Generator<StoreLine, void, undefined> {
  for (let at = entries?.first(-1) ?? -1; entries !== undefined && at >= 0; at = entries.next(at)) {
    const messageId = entries.message(at);
    if (entries.state(at) !== AWAIT_PUBCOMP) {
      const place = placeOf(ledger, messageId);
      // Only in a damaged store: an entry whose message is lost.
      if (place === undefined) continue;
      yield* messageOnce(ledger, messageId, place, shared, read);
    }
    yield { type: "entry", clientId, entry: entryAt(entries, at) };
  }
}

/** Precedes the first of the entries that refer to it. */
function* messageOnce(
  ledger: Ledger,
  messageId: number,
  place: Place,
  shared: Set<number>,
  read: (place: Place) => ReturnType<typeof readMessage>,
): Generator<StoreLine, void, undefined> {
  const count = ledger.messages.need(ledger.messages.find(messageId), 0);
  if (!shared.has(messageId)) yield { type: "message", messageId, entries: count, message: messageToJson(read(place)) };
  if (count > 1) shared.add(messageId);
}

const IMPORT_BATCH = 1000;

async function importLines(store: Store, lines: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const messages: MessagesInHand = new Map();
  let batch: StoreOp[] = [];
  let number = 0;
  let ended = false;
  for await (const text of lines) {
    if (text.trim() === "") continue;
    const line = parseLine(text, ++number);
    if (number === 1 && (line.type !== "store" || (line.format !== 1 && line.format !== 2)))
      throw badExport(1, "this is not an export of a store in format 1 or 2");
    if (line.type === "end") {
      if (line.lines !== number - 1)
        throw badExport(number, `${line.lines} lines were written, ${number - 1} are here`);
      ended = true;
    }
    if (line.type === "message")
      messages.set(line.messageId, {
        message: readable(number, () => messageFromJson(line.message)),
        left: line.entries,
      });
    const op = readable(number, () => opOf(line, number, messages));
    if (op !== undefined) batch.push(op);
    if (batch.length < IMPORT_BATCH) continue;
    await store.apply(batch);
    batch = [];
  }
  if (number === 0) throw new StoreError("ERR_STORE_FORMAT", "there is nothing to import: not one line came");
  if (!ended) throw badExport(number, "the export was cut short");
  await store.apply(batch);
}

/** Lines come from outside: the right type does not mean the right shape. */
function readable<T>(number: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw badExport(number, "its fields are not those of its type");
  }
}

type MessagesInHand = Map<number, { readonly message: ReturnType<typeof readMessage>; left: number }>;

/** The message, which is dropped after its last reference. */
function needed(messages: MessagesInHand, messageId: number, line: number): ReturnType<typeof readMessage> {
  const known = messages.get(messageId);
  if (known === undefined) throw badExport(line, `message ${messageId} is missing`);
  known.left--;
  if (known.left === 0) messages.delete(messageId);
  return known.message;
}

function opOf(line: StoreLine, number: number, messages: MessagesInHand): StoreOp | undefined {
  switch (line.type) {
    case "session":
      return { op: "putSession", record: sessionFromLine(line) };
    case "subscription":
      return {
        op: "putSubscription",
        clientId: line.clientId,
        filter: line.filter,
        subscription: subscriptionFromJson(line.subscription),
      };
    case "inbound":
      return { op: "hold", clientId: line.clientId, packetId: line.packetId };
    case "retained":
      return { op: "putRetained", message: messageFromJson(line.message), ...setAtOf(line) };
    case "cleared":
      return { op: "clearRetained", topic: line.topic, setAt: line.setAt };
    case "entry": {
      const entry = entryFromJson(line.entry);
      if (entry.state === "awaitPubcomp") return { op: "enqueue", clientId: line.clientId, entry, message: NO_MESSAGE };
      return { op: "enqueue", clientId: line.clientId, entry, message: needed(messages, entry.messageId, number) };
    }
    case "outbox": {
      const entry = outboxFromJson(line.entry);
      return { op: "putOutbox", entry, message: needed(messages, entry.messageId, number) };
    }
    case "origin":
      return { op: "putOrigin", origin: line.origin };
    case "identity":
      return { op: "putIdentity", identity: line.identity };
    case "store":
    case "message":
    case "end":
      return undefined;
  }
}

function setAtOf({ setAt }: { readonly setAt?: number }): { readonly setAt?: number } {
  return setAt === undefined ? {} : { setAt };
}

function badExport(line: number, reason: string): StoreError {
  return new StoreError("ERR_STORE_FORMAT", `line ${line} of the export: ${reason}`);
}
