// A journal that is kept elsewhere too: what is told of it, and how it comes back.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { contentsOf, randomBatches, sampleSession } from "@wrenmq/store/testing";
import { FileStore, type JournalMirror } from "@wrenmq/store-file";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { journalFiles, newPlace } from "./places.ts";

/** The frames of each file, as long as the journal has it. */
class Copy implements JournalMirror {
  readonly files = new Map<number, Buffer[]>();

  onFrame(payload: Buffer, file: number): void {
    const frames = this.files.get(file) ?? [];
    frames.push(Buffer.from(payload));
    this.files.set(file, frames);
  }

  onDropped(file: number): void {
    this.files.delete(file);
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("its copy is a journal, whatever was cleaned, and however much of the oldest file is gone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(randomBatches, { minLength: 1, maxLength: 4 }), async (histories) => {
      const mirror = new Copy();
      const store = new FileStore({ path: newPlace(), durability: "batch", segmentBytes: 256, mirror });
      store.open();
      const replayed = new FileStore({ path: newPlace(), durability: "batch", beginsEmpty: true, mirror: new Copy() });
      let oldest: Buffer[] = [];
      for (const batch of histories.flat()) {
        const before = [...mirror.files.values()][0] ?? [];
        void store.apply(batch);
        await nextTurn();
        // What was dropped last, without its beginning.
        if ([...mirror.files.values()][0] !== before) oldest = before.slice(Math.ceil(before.length / 2));
      }
      replayed.open();
      const replay = replayed.replay();
      for (const frame of [oldest, ...mirror.files.values()].flat()) replay.add(frame);
      replay.end();
      expect(contentsOf(replayed)).toEqual(contentsOf(store));
      await store.close();
      await replayed.close();
    }),
    { numRuns: 25 },
  );
}, 60_000);

test("a frame that cannot be read, and a journal without its beginning, are damage", async () => {
  const mirror = new Copy();
  const store = new FileStore({ path: newPlace(), durability: "batch", mirror });
  store.open();
  void store.apply([{ op: "putSession", record: sampleSession("c") }]);
  void store.apply([{ op: "hold", clientId: "c", packetId: 1 }]);
  await store.close();
  const frames = [...mirror.files.values()].flat();
  expect(frames).toHaveLength(2);
  const other = new FileStore({ path: newPlace(), durability: "batch", beginsEmpty: true });
  other.open();
  const replay = other.replay();
  expect(() => replay.add(Buffer.from([200]))).toThrow(expect.objectContaining({ code: "ERR_STORE_DAMAGED" }));
  replay.add(frames[1] as Buffer);
  expect(() => replay.end()).toThrow("it refers to a session without its record: older frames are missing");
  await other.close();
});

test("a store that begins empty removes what one has left there, and nothing else", async () => {
  const path = newPlace();
  const earlier = new FileStore({ path, durability: "batch" });
  earlier.open();
  void earlier.apply([{ op: "putSession", record: sampleSession("c") }]);
  await earlier.close();
  const [journal = ""] = journalFiles(path);
  for (const name of [`${journal}.torn-2026-01-01`, "notes.txt"]) writeFileSync(join(path, name), "x");
  const store = new FileStore({ path, durability: "batch", beginsEmpty: true });
  store.open();
  expect([...store.sessions()]).toEqual([]);
  expect(journalFiles(path)).toEqual([]);
  expect(existsSync(join(path, `${journal}.torn-2026-01-01`))).toBe(false);
  expect(existsSync(join(path, "notes.txt"))).toBe(true);
  // A store that is in use is left alone.
  void store.apply([{ op: "putSession", record: sampleSession("d") }]);
  const second = new FileStore({ path, durability: "batch", beginsEmpty: true });
  expect(() => second.open()).toThrow(expect.objectContaining({ code: "ERR_STORE_LOCKED" }));
  expect(journalFiles(path)).toHaveLength(1);
  await store.close();
});
