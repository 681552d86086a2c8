// Data of N workers, written anew for M: nothing is lost, nothing is mixed up, and until it is done the old ones count.
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { homeOf } from "@wrenmq/cluster";
import type { StoreOp } from "@wrenmq/store";
import { FileStore } from "@wrenmq/store-file";
import { afterEach, expect, test, vi } from "vitest";
import { prepareData } from "../../src/data/reshard.ts";
import { noteShards, removeLeftovers, shardPath, shardsIn } from "../../src/data/shards.ts";
import { temporaryFolder } from "../support/folder.ts";

const SESSIONS = 12;
/** Milliseconds: every step is written through to the disk, and disks differ. */
const PATIENCE = 180_000;
afterEach(() => vi.restoreAllMocks());

const reshard = (path: string, workers: number): Promise<void> => prepareData(path, workers);

function message(topic: string, text: string): Extract<StoreOp, { op: "enqueue" }>["message"] {
  return {
    topic,
    payload: Buffer.from(text),
    qos: 2,
    retain: false,
    properties: { contentType: "text/plain" },
    expiresAt: 4e12,
    publisher: "somebody",
  };
}

/** Facts of every kind. Message numbers are used anew in each store. */
function factsOf(worker: number, workers: number): StoreOp[] {
  const ops: StoreOp[] = [];
  const isHere = (name: string): boolean => homeOf(name, workers) === worker;
  const mine = Array.from({ length: SESSIONS }, (_, index) => `client-${index}`).filter(isHere);
  for (const clientId of mine) {
    const will = { message: message("gone", clientId), delay: 7 };
    ops.push({
      op: "putSession",
      record: { clientId, username: "ada", expiryInterval: 3600, disconnectedAt: 1e12, will },
    });
    for (const filter of ["all/#", "$share/g/work"]) {
      const flags = { noLocal: false, retainAsPublished: true, retainHandling: 1 } as const;
      ops.push({
        op: "putSubscription",
        clientId,
        filter,
        subscription: { qos: 2, ...flags, subscriptionIdentifier: 9 },
      });
    }
    for (const packetId of [5, 6]) ops.push({ op: "hold", clientId, packetId });
    const states = ["awaitPubcomp", "awaitPubrec", "awaitPuback", ...Array(250).fill("queued")] as const;
    states.forEach((state, index) => {
      const isShared = index % 2 === 1;
      const messageId = isShared ? index : 1000 * (mine.indexOf(clientId) + 1) + index;
      const entry = {
        seq: index + 1,
        messageId,
        qos: state === "awaitPuback" ? (1 as const) : (2 as const),
        retain: index % 3 === 0,
        subscriptionIdentifiers: [9],
        state,
        packetId: state === "queued" ? 0 : index + 1,
      };
      const text = isShared ? `of worker ${worker}, ${index}` : `for ${clientId}, ${index}`;
      ops.push({ op: "enqueue", clientId, entry, message: message(`all/${index}`, text) });
    });
  }
  for (let index = 0; index < 40; index++) {
    const topic = `kept/${index}`;
    if (isHere(topic)) ops.push({ op: "putRetained", message: { ...message(topic, `kept ${index}`), retain: true } });
  }
  return ops;
}

async function fill(path: string, workers: number): Promise<void> {
  if (workers > 1) noteShards(path, { workers, folder: undefined });
  for (let worker = 0; worker < workers; worker++) {
    const store = new FileStore({
      path: shardPath(path, { workers, folder: undefined }, worker),
      durability: "batch",
    });
    store.open();
    for (const op of factsOf(worker, workers)) await store.apply([op]);
    await store.close();
  }
}

/** All that clients could see of the data, whoever keeps it. Messages by what they say: their numbers may change. */
async function contents(path: string): Promise<unknown> {
  const shards = shardsIn(path) ?? { workers: 0, folder: undefined };
  const sessions = new Map<string, unknown>();
  const retained = new Map<string, string>();
  for (let worker = 0; worker < shards.workers; worker++) {
    const store = new FileStore({ path: shardPath(path, shards, worker), durability: "batch" });
    store.open();
    for (const { record, subscriptions, inflight, inboundPacketIds, queued } of store.sessions()) {
      const { clientId } = record;
      expect(homeOf(clientId, shards.workers)).toBe(worker);
      expect(sessions.has(clientId)).toBe(false);
      sessions.set(clientId, {
        record,
        subscriptions,
        inboundPacketIds,
        queued,
        inflight: inflight.map(({ messageId: _, ...entry }) => ({
          ...entry,
          payload: entry.state === "awaitPubcomp" ? "" : String(store.message(clientId, entry.seq)?.payload),
        })),
        queue: store
          .queue(clientId, -1, 1e6)
          .map(({ entry: { messageId: _, ...entry }, message: { payload, ...rest } }) => ({
            ...entry,
            ...rest,
            payload: String(Buffer.from(payload)),
          })),
      });
    }
    for (const { topic, payload } of store.retained()) {
      expect(homeOf(topic, shards.workers)).toBe(worker);
      retained.set(topic, String(Buffer.from(payload)));
    }
    await store.close();
  }
  const byName = <T>(map: Map<string, T>): [string, T][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return { sessions: byName(sessions), retained: byName(retained) };
}

test(
  "from any number of workers to any other",
  async () => {
    for (const first of [1, 2, 3]) {
      const path = join(await temporaryFolder(), "data");
      await fill(path, first);
      const before = await contents(path);
      for (const workers of [4, 1, 3, 2, 1]) {
        await reshard(path, workers);
        expect(shardsIn(path)?.workers).toBe(workers);
        expect(await contents(path)).toEqual(before);
        removeLeftovers(path);
        expect(await contents(path)).toEqual(before);
      }
      expect(readdirSync(path).sort()).toEqual([shardsIn(path)?.folder, "workers.json"]);
    }
  },
  PATIENCE,
);

test(
  "whenever it ends before its end, the data are as they were; then it can be done again",
  async () => {
    for (const first of [1, 2]) {
      const folder = await temporaryFolder();
      const path = join(folder, "data");
      await fill(path, first);
      const before = await contents(path);
      // What a process that is killed leaves: the folder as it is at each step, without the locks of this process.
      const crashes: string[] = [];
      const snapshot = (): void => {
        const crash = join(folder, `crash-${crashes.length}`);
        cpSync(path, crash, { recursive: true, filter: (source) => !/\/lock\.\d+$/.test(source) });
        crashes.push(crash);
      };
      for (const name of ["open", "apply", "close"] as const) {
        const original = FileStore.prototype[name] as (...words: unknown[]) => unknown;
        vi.spyOn(FileStore.prototype, name).mockImplementation(function step(this: FileStore, ...words: unknown[]) {
          snapshot();
          return original.apply(this, words) as never;
        });
      }
      await reshard(path, 3);
      vi.restoreAllMocks();
      expect(crashes.length).toBeGreaterThan(10);
      const workers = crashes.map((crash) => shardsIn(crash)?.workers);
      expect(new Set(workers)).toEqual(new Set([first, 3]));
      for (const crash of crashes) {
        expect(await contents(crash)).toEqual(before);
        await reshard(crash, 3);
        removeLeftovers(crash);
        expect(await contents(crash)).toEqual(before);
        expect(readdirSync(crash)).toHaveLength(2);
        rmSync(crash, { recursive: true });
      }
    }
  },
  PATIENCE,
);

test("what cannot be written leaves nothing behind; data in use are not touched", async () => {
  const path = join(await temporaryFolder(), "data");
  await fill(path, 2);
  const before = await contents(path);
  let left = 3;
  const original = FileStore.prototype.apply;
  vi.spyOn(FileStore.prototype, "apply").mockImplementation(function step(this: FileStore, batch) {
    if (left-- === 0) throw new Error("the disk is full");
    return original.call(this, batch);
  });
  await expect(reshard(path, 3)).rejects.toThrow("the disk is full");
  vi.restoreAllMocks();
  expect(await contents(path)).toEqual(before);
  expect(existsSync(join(path, "shards-1"))).toBe(false);
  const user = new FileStore({ path: join(path, "worker-1"), durability: "batch" });
  user.open();
  await expect(reshard(path, 3)).rejects.toMatchObject({ code: "ERR_STORE_LOCKED" });
  await user.close();
  expect(await contents(path)).toEqual(before);
});

test("what one of several workers keeps is not taken for the data", async () => {
  const path = await temporaryFolder();
  await reshard(path, 2);
  await expect(reshard(join(path, "worker-0"), 1)).rejects.toThrow(`the folder of the data is ${path}`);
  noteShards(path, { workers: 3, folder: "shards-1" });
  await expect(reshard(join(path, "shards-1", "worker-2"), 1)).rejects.toThrow(`the folder of the data is ${path}`);
  // A name alone says nothing.
  const other = join(await temporaryFolder(), "worker-0");
  await reshard(other, 2);
  expect(shardsIn(other)).toEqual({ workers: 2, folder: undefined });
});
