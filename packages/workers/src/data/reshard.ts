// Distributes the data of N workers to M. The new stores are written beside the old ones, whose locks are held; then
// the note that names the valid ones is replaced. If it ends before that, the old data are complete and valid;
// leftovers are removed at the next start (`removeLeftovers`).
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { homeOf } from "@wrenmq/cluster";
import type { Logger } from "@wrenmq/plugin-api";
import { NO_MESSAGE, type Store, type StoreOp } from "@wrenmq/store";
import { FileStore } from "@wrenmq/store-file";
import { WorkersError } from "../errors.ts";
import { syncDirectory } from "./durable-file.ts";
import { copyOutboxes } from "./reshard-outbox.ts";
import { nextFolder, noteShards, refusePart, type Shards, shardPath, shardsIn } from "./shards.ts";

/** A batch is applied when it has this many facts, or this many bytes of messages. */
const BATCH_FACTS = 1000;
const BATCH_BYTES = 4 * 1024 * 1024;
/** Queued messages per read. */
const PAGE = 100;

type Snapshot = ReturnType<Store["sessions"]> extends Iterable<infer T> ? T : never;

/**
 * Converts the data to the number of workers. Call it before any of them opens its store (`storePath`).
 * @throws WorkersError ERR_WORKERS_DATA, StoreError: nothing has changed
 */
export async function prepareData(path: string, count: number, logger?: Logger): Promise<void> {
  refusePart(path);
  const found = shardsIn(path);
  if (found === undefined) {
    if (count > 1) noteShards(path, { workers: count, folder: undefined });
  } else if (found.workers !== count) {
    const { sessions, retained } = await reshard(path, found, count);
    const numbers = { path, before: found.workers, workers: count, sessions, retained };
    logger?.info(numbers, "the data were written anew for another number of workers");
  }
}

/** @returns the amount of data */
async function reshard(
  path: string,
  before: Shards,
  workers: number,
): Promise<{ readonly sessions: number; readonly retained: number }> {
  const after: Shards = { workers, folder: nextFolder(path) };
  const folder = join(path, after.folder as string);
  const sources = storesOf(path, before);
  const targets: FileStore[] = [];
  let isDone = false;
  try {
    for (const source of sources) source.open();
    mkdirSync(folder);
    targets.push(...storesOf(path, after));
    for (const target of targets) target.open();
    await copy(sources, targets);
    const found = totals(sources);
    const written = totals(targets);
    if (written.sessions !== found.sessions || written.retained !== found.retained) {
      throw new WorkersError(
        "ERR_WORKERS_DATA",
        `${path}: ${JSON.stringify(found)} were there, ${JSON.stringify(written)} were written`,
      );
    }
    for (const target of targets) await target.close();
    syncDirectory(folder);
    noteShards(path, after);
    isDone = true;
    return written;
  } finally {
    if (!isDone) {
      for (const target of targets) await target.close();
      rmSync(folder, { recursive: true, force: true });
    }
    for (const source of sources) await source.close();
  }
}

function storesOf(path: string, shards: Shards): FileStore[] {
  return Array.from(
    { length: shards.workers },
    (_, worker) => new FileStore({ path: shardPath(path, shards, worker), durability: "fsync" }),
  );
}

function totals(stores: readonly Store[]): { readonly sessions: number; readonly retained: number } {
  const all = stores.map((store) => store.stats());
  return {
    sessions: all.reduce((sum, { sessions }) => sum + sessions, 0),
    retained: all.reduce((sum, { retained }) => sum + retained, 0),
  };
}

async function copy(sources: readonly Store[], targets: readonly Store[]): Promise<void> {
  const writers = targets.map((target) => new BatchWriter(target));
  const writerOf = (name: string): BatchWriter => writers[homeOf(name, writers.length)] as BatchWriter;
  // Each old store has counted its own messages: two may have used the same number.
  let lastMessageId = Math.max(...sources.map((source) => source.stats().lastMessageId));
  const messageIds = new Map(sources.map((source) => [source, new Map<number, number>()]));
  const renumbered = (source: Store, messageId: number): number => {
    const known = messageIds.get(source)?.get(messageId) ?? ++lastMessageId;
    messageIds.get(source)?.set(messageId, known);
    return known;
  };
  for (const source of sources) {
    for (const session of source.sessions()) {
      await copySession(source, session, writerOf(session.record.clientId), renumbered);
    }
    await copyRetained(source, writerOf);
  }
  await copyOutboxes(sources, writers, renumbered);
  for (const writer of writers) await writer.flush();
}

async function copyRetained(source: Store, writerOf: (name: string) => BatchWriter): Promise<void> {
  const stamps = new Map([...source.retainedStamps()].map((stamp) => [stamp.topic, stamp]));
  for (const message of source.retained()) {
    const stamp = stamps.get(message.topic);
    const setAt = stamp === undefined ? {} : { setAt: stamp.setAt };
    await writerOf(message.topic).write({ op: "putRetained", message, ...setAt }, message.payload.length);
  }
  for (const { topic, setAt, isSet } of stamps.values()) {
    if (!isSet) await writerOf(topic).write({ op: "clearRetained", topic, setAt }, 0);
  }
}

async function copySession(
  source: Store,
  { record, subscriptions, inboundPacketIds, inflight, queued }: Snapshot,
  writer: BatchWriter,
  renumbered: (source: Store, messageId: number) => number,
): Promise<void> {
  const { clientId } = record;
  await writer.write({ op: "putSession", record }, 0);
  for (const [filter, subscription] of subscriptions) {
    await writer.write({ op: "putSubscription", clientId, filter, subscription }, 0);
  }
  for (const packetId of inboundPacketIds) await writer.write({ op: "hold", clientId, packetId }, 0);
  for (const entry of inflight) {
    const message = entry.state === "awaitPubcomp" ? NO_MESSAGE : source.message(clientId, entry.seq);
    if (message === undefined)
      throw new WorkersError("ERR_WORKERS_DATA", `a message in flight to ${clientId} cannot be read`);
    const moved = { ...entry, messageId: renumbered(source, entry.messageId) };
    await writer.write({ op: "enqueue", clientId, entry: moved, message }, message.payload.length);
  }
  let after = -1;
  for (let left = queued; left > 0; ) {
    const page = source.queue(clientId, after, PAGE);
    if (page.length === 0)
      throw new WorkersError("ERR_WORKERS_DATA", `${left} messages queued for ${clientId} cannot be read`);
    for (const { entry, message } of page) {
      const moved = { ...entry, messageId: renumbered(source, entry.messageId) };
      await writer.write({ op: "enqueue", clientId, entry: moved, message }, message.payload.length);
      after = entry.seq;
    }
    left -= page.length;
  }
}

class BatchWriter {
  readonly #store: Store;
  #batch: StoreOp[] = [];
  #bytes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** @param bytes of its message */
  async write(op: StoreOp, bytes: number): Promise<void> {
    this.#batch.push(op);
    this.#bytes += bytes;
    if (this.#batch.length >= BATCH_FACTS || this.#bytes >= BATCH_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    if (batch.length > 0) await this.#store.apply(batch);
  }
}
