import { MemoryStore, StoreError, type StoreOp } from "@wrenmq/store";
import { contentsOf, randomBatches, sampleEntry, sampleMessage, sampleSession } from "@wrenmq/store/testing";
import { FileStore } from "@wrenmq/store-file";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchAt } from "../crash/history.ts";
import { journalBytes, journalFiles, newPlace } from "../places.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function enqueue(seq: number, bytes: number): StoreOp {
  return {
    op: "enqueue",
    clientId: "c",
    entry: sampleEntry(seq),
    message: sampleMessage({ payload: new Uint8Array(bytes).fill(seq % 256) }),
  };
}

test("the journal grows with a queue and shrinks when it drains", { timeout: 60_000 }, async () => {
  const path = newPlace();
  const store = new FileStore({ path, durability: "batch", segmentBytes: 64 * 1024 });
  store.open();
  void store.apply([{ op: "putSession", record: sampleSession("c") }]);
  for (let seq = 1; seq <= 5000; seq++) void store.apply([enqueue(seq, 1000)]);
  expect(journalBytes(path)).toBeGreaterThan(5_000_000);
  for (let seq = 1; seq <= 5000; seq++) void store.apply([{ op: "settle", clientId: "c", seq }]);
  // Ends when cleaning has done what it can; the number of turns is only a stop for a bug.
  for (let turn = 0; turn < 100_000 && journalBytes(path) > 4 * 64 * 1024; turn++) await nextTurn();
  expect(journalBytes(path)).toBeLessThanOrEqual(4 * 64 * 1024);
  await store.close();
  store.open();
  expect(store.stats()).toMatchObject({ sessions: 1, messages: 0 });
  await store.close();
});

test("what is live stays within half of the journal, however long it is used", async () => {
  const path = newPlace();
  const store = new FileStore({ path, durability: "batch", segmentBytes: 20_000 });
  const model = new MemoryStore();
  store.open();
  model.open();
  let highest = 0;
  for (let n = 1; n <= 4000; n++) {
    void store.apply(batchAt(n));
    model.apply(batchAt(n));
    highest = Math.max(highest, store.stats().bytes);
  }
  expect(contentsOf(store)).toEqual(contentsOf(model));
  await store.compact();
  const live = store.stats().bytes;
  expect(contentsOf(store)).toEqual(contentsOf(model));
  expect(highest).toBeLessThan(4 * (live + 2 * 20_000));
  await store.close();
  expect(journalBytes(path)).toBeLessThan(live + 1000);
  store.open();
  expect(contentsOf(store)).toEqual(contentsOf(model));
  await store.close();
});

test("cleaning changes nothing that can be read, after any history", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(randomBatches, { minLength: 1, maxLength: 4 }), async (histories) => {
      const path = newPlace();
      const store = new FileStore({ path, durability: "batch", segmentBytes: 256 });
      const model = new MemoryStore();
      store.open();
      model.open();
      for (const batch of histories.flat()) {
        void store.apply(batch);
        model.apply(batch);
        if (batch.length % 3 === 0) await nextTurn();
      }
      expect(contentsOf(store)).toEqual(contentsOf(model));
      await store.close();
      store.open();
      expect(contentsOf(store)).toEqual(contentsOf(model));
      await store.compact();
      expect(contentsOf(store)).toEqual(contentsOf(model));
      await store.close();
      store.open();
      expect(contentsOf(store)).toEqual(contentsOf(model));
      await store.close();
    }),
    { numRuns: 60 },
  );
}, 60_000);

describe("a limit on bytes", () => {
  const maxBytes = 400_000;

  test("refuses what does not fit, applies nothing of it, and goes on when there is room", {
    timeout: 60_000,
  }, async () => {
    const path = newPlace();
    const store = new FileStore({ path, durability: "batch", maxBytes });
    const model = new MemoryStore();
    store.open();
    model.open();
    const both = (batch: StoreOp[]): void => {
      void store.apply(batch);
      model.apply(batch);
    };
    both([{ op: "putSession", record: sampleSession("c") }]);
    let seq = 0;
    for (let round = 0; round < 5; round++) {
      let error: unknown;
      while (error === undefined) {
        try {
          const batch = [enqueue(seq + 1, 900), enqueue(seq + 2, 900)];
          void store.apply(batch);
          model.apply(batch);
          seq += 2;
        } catch (thrown) {
          error = thrown;
        }
      }
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ code: "ERR_STORE_FULL" });
      expect(contentsOf(store)).toEqual(contentsOf(model));
      // Each round starts with what the last one left, so it is full of what is live, not of what was.
      expect(store.stats().messages * 900).toBeGreaterThan(maxBytes * 0.8);
      const [{ entry: first } = { entry: { seq: 1 } }] = store.queue("c", 0, 1);
      for (let old = first.seq; old < seq - 40; old++)
        both([
          { op: "advance", clientId: "c", seq: old, packetId: 1, state: "awaitPuback" },
          { op: "settle", clientId: "c", seq: old },
        ]);
      // Files that were given up are removed between turns.
      for (let turn = 0; turn < 100_000 && journalBytes(path) > maxBytes * 1.2; turn++) await nextTurn();
      expect(journalBytes(path)).toBeLessThan(maxBytes * 1.2);
    }
    await store.close();
    store.open();
    expect(contentsOf(store)).toEqual(contentsOf(model));
    expect(journalFiles(path).length).toBeGreaterThan(0);
    await store.close();
  });
});

test("a batch that cannot be stored is refused before anything is written", async () => {
  const path = newPlace();
  const store = new FileStore({ path, durability: "batch" });
  store.open();
  void store.apply([{ op: "putSession", record: sampleSession("c") }]);
  const before = contentsOf(store);
  for (const seq of [-1, 1.5, Number.NaN, 2 ** 53]) {
    expect(() => store.apply([enqueue(1, 10), enqueue(seq, 10)])).toThrow(
      expect.objectContaining({ code: "ERR_STORE_WRITE" }),
    );
  }
  expect(contentsOf(store)).toEqual(before);
  await store.close();
  store.open();
  expect(contentsOf(store)).toEqual(before);
  await store.close();
});

test("a body is on disk once, however many sessions queue the message, and however often it is moved", async () => {
  const path = newPlace();
  const store = new FileStore({ path, durability: "batch", segmentBytes: 50_000 });
  store.open();
  const sessions = Array.from({ length: 50 }, (_, i) => `c${i}`);
  for (const clientId of sessions) void store.apply([{ op: "putSession", record: sampleSession(clientId) }]);
  const message = sampleMessage({ payload: new Uint8Array(100_000).fill(1) });
  for (const clientId of sessions) void store.apply([{ op: "enqueue", clientId, entry: sampleEntry(1), message }]);
  expect(journalBytes(path)).toBeLessThan(110_000);
  await store.compact();
  expect(journalBytes(path)).toBeLessThan(110_000);
  expect(store.queue("c49", 0, 1)[0]?.message.payload).toHaveLength(100_000);
  await store.close();
});
