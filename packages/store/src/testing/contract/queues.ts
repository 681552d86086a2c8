// The messages that wait in sessions or are in flight.
import { beforeEach, describe, expect, it } from "vitest";
import type { StoreOp } from "../../store.ts";
import { contentsOf, plain, readQueue } from "../contents.ts";
import { sampleEntry, sampleMessage, sampleSession } from "../samples.ts";
import type { TestedStore } from "./tested-store.ts";

export function describeQueues(tested: TestedStore): void {
  const { put, both } = tested;

  describe("queues", () => {
    beforeEach(() =>
      put({ op: "putSession", record: sampleSession("c") }, { op: "putSession", record: sampleSession("d") }),
    );

    it("keeps every field of an entry and its message", async () => {
      const entry = sampleEntry(2 ** 40, {
        messageId: 2 ** 41 + 1,
        qos: 2,
        retain: true,
        subscriptionIdentifiers: [1, 300, 268_435_455],
      });
      const message = sampleMessage({
        topic: "ü/温度/😀",
        payload: new Uint8Array([0, 255, 0]),
        qos: 2,
        retain: true,
        expiresAt: 1_800_000_000_123,
        publisher: "",
        properties: {
          payloadFormatIndicator: 1,
          responseTopic: "r/ü",
          correlationData: new Uint8Array([0, 1]),
          userProperties: [
            ["", ""],
            ["k", "v"],
            ["k", "温"],
          ],
          contentType: "a/b",
        },
      });
      await put({ op: "enqueue", clientId: "c", entry, message });
      await both(() => {
        expect(readQueue(tested.store, "c", 10)).toEqual([{ entry, message }]);
        expect(plain(tested.store.message("c", entry.seq)!)).toEqual(message);
      });
    });

    it("tells no properties from empty ones", async () => {
      await put(
        { op: "enqueue", clientId: "c", entry: sampleEntry(1), message: sampleMessage() },
        { op: "enqueue", clientId: "c", entry: sampleEntry(2), message: sampleMessage({ properties: {} }) },
      );
      await both(() =>
        expect(tested.store.queue("c", 0, 9).map((each) => each.message.properties)).toEqual([undefined, {}]),
      );
    });

    it("reads a queue in pages, in order", async () => {
      for (let batch = 0; batch < 10; batch++) {
        const seqs = Array.from({ length: 30 }, (_, i) => batch * 30 + i + 1);
        await put(
          ...seqs.map(
            (seq): StoreOp => ({
              op: "enqueue",
              clientId: "c",
              entry: sampleEntry(seq * 3),
              message: sampleMessage({ payload: new Uint8Array([seq % 256]) }),
            }),
          ),
        );
      }
      await put(
        { op: "settle", clientId: "c", seq: 30 },
        { op: "advance", clientId: "c", seq: 33, packetId: 1, state: "awaitPuback" },
      );
      await both(() => {
        expect(tested.store.queue("c", 0, 0)).toEqual([]);
        expect(tested.store.queue("c", 0, 3).map(({ entry }) => entry.seq)).toEqual([3, 6, 9]);
        expect(tested.store.queue("c", 26, 3).map(({ entry }) => entry.seq)).toEqual([27, 36, 39]);
        expect(tested.store.queue("c", 897, 5).map(({ entry }) => entry.seq)).toEqual([900]);
        expect(tested.store.queue("c", 900, 5)).toEqual([]);
        const all = readQueue(tested.store, "c", 64);
        expect(all.map(({ entry }) => entry.seq)).toEqual(
          Array.from({ length: 300 }, (_, i) => (i + 1) * 3).filter((seq) => seq !== 30 && seq !== 33),
        );
        expect(all.every(({ entry, message }) => message.payload[0] === (entry.seq / 3) % 256)).toBe(true);
        expect(contentsOf(tested.store).sessions["c"]).toMatchObject({ queued: 298, firstSeq: 3, lastSeq: 900 });
      });
    });

    it("moves entries through their states", async () => {
      const enqueue = (seq: number): StoreOp => ({
        op: "enqueue",
        clientId: "c",
        entry: sampleEntry(seq, { qos: 2 }),
        message: sampleMessage(),
      });
      await put(enqueue(1), enqueue(2), enqueue(3));
      await put(
        { op: "advance", clientId: "c", seq: 2, packetId: 8, state: "awaitPubrec" },
        { op: "advance", clientId: "c", seq: 1, packetId: 65_535, state: "awaitPubrec" },
      );
      await both(() => {
        const session = contentsOf(tested.store).sessions["c"];
        expect(session?.inflight.map(({ entry }) => [entry.seq, entry.packetId, entry.state])).toEqual([
          [1, 65_535, "awaitPubrec"],
          [2, 8, "awaitPubrec"],
        ]);
        expect(session?.queued).toBe(1);
        expect(tested.store.message("c", 1)).toBeDefined();
      });
      await put(
        { op: "advance", clientId: "c", seq: 1, packetId: 65_535, state: "awaitPubcomp" },
        { op: "advance", clientId: "c", seq: 2, packetId: 0, state: "queued" },
      );
      await both(() => {
        expect(tested.store.message("c", 1)).toBeUndefined();
        expect(contentsOf(tested.store).sessions["c"]).toMatchObject({
          queued: 2,
          firstSeq: 1,
          lastSeq: 3,
          inflight: [{ entry: { seq: 1, state: "awaitPubcomp" } }],
        });
        expect(tested.store.stats().messages).toBe(2);
      });
      await put({ op: "settle", clientId: "c", seq: 1 });
      await both(() => expect(contentsOf(tested.store).sessions["c"]).toMatchObject({ inflight: [], firstSeq: 2 }));
    });

    it("takes entries that are in flight from the start", async () => {
      const entry = sampleEntry(1, { state: "awaitPuback", packetId: 77 });
      await put({ op: "enqueue", clientId: "c", entry, message: sampleMessage() });
      await both(() => {
        expect(contentsOf(tested.store).sessions["c"]?.inflight).toEqual([{ entry, message: sampleMessage() }]);
        expect(tested.store.queue("c", 0, 10)).toEqual([]);
      });
    });

    it("keeps a message once, until the last entry is settled", async () => {
      const enqueue = (clientId: string, seq: number): StoreOp => ({
        op: "enqueue",
        clientId,
        entry: sampleEntry(seq, { messageId: 42, qos: 2 }),
        message: sampleMessage(),
      });
      await put(enqueue("c", 1), enqueue("d", 1));
      await put(enqueue("d", 2));
      await both(() => expect(tested.store.stats().messages).toBe(1));
      await put({ op: "settle", clientId: "c", seq: 1 });
      await put({ op: "advance", clientId: "d", seq: 1, packetId: 1, state: "awaitPubcomp" });
      await both(() => {
        expect(tested.store.stats().messages).toBe(1);
        expect(plain(tested.store.message("d", 2)!)).toEqual(sampleMessage());
      });
      await put({ op: "settle", clientId: "d", seq: 2 });
      await both(() => expect(tested.store.stats().messages).toBe(0));
      await put({ op: "settle", clientId: "d", seq: 1 }, { op: "settle", clientId: "d", seq: 1 });
      await both(() => expect(contentsOf(tested.store).sessions["d"]).toMatchObject({ inflight: [], queued: 0 }));
    });

    it("hands a message from one session to another within a batch", async () => {
      await put({ op: "enqueue", clientId: "c", entry: sampleEntry(1, { messageId: 9 }), message: sampleMessage() });
      await put(
        { op: "settle", clientId: "c", seq: 1 },
        { op: "enqueue", clientId: "d", entry: sampleEntry(1, { messageId: 9 }), message: sampleMessage() },
      );
      await both(() =>
        expect(readQueue(tested.store, "d", 5)).toEqual([
          { entry: sampleEntry(1, { messageId: 9 }), message: sampleMessage() },
        ]),
      );
    });

    it("knows an identifier that no kept message exceeds", async () => {
      const enqueue = (seq: number, messageId: number): StoreOp => ({
        op: "enqueue",
        clientId: "c",
        entry: sampleEntry(seq, { messageId }),
        message: sampleMessage(),
      });
      expect(tested.store.stats().lastMessageId).toBe(0);
      await put(enqueue(1, 12), enqueue(2, 2 ** 45), enqueue(3, 13));
      await both(() => expect(tested.store.stats().lastMessageId).toBeGreaterThanOrEqual(2 ** 45));
    });

    it("uses a message identifier again once its message is gone", async () => {
      await put({ op: "enqueue", clientId: "c", entry: sampleEntry(1, { messageId: 9 }), message: sampleMessage() });
      await put({ op: "settle", clientId: "c", seq: 1 });
      const other = sampleMessage({ topic: "other" });
      await put({ op: "enqueue", clientId: "c", entry: sampleEntry(2, { messageId: 9 }), message: other });
      await both(() => expect(plain(tested.store.message("c", 2)!)).toEqual(other));
    });

    it("knows entries that come and go in one batch", async () => {
      const enqueue = (seq: number): StoreOp => ({
        op: "enqueue",
        clientId: "c",
        entry: sampleEntry(seq, { messageId: 5 }),
        message: sampleMessage(),
      });
      const settle = (seq: number): StoreOp => ({ op: "settle", clientId: "c", seq });
      await put(
        enqueue(1),
        enqueue(2),
        { op: "advance", clientId: "c", seq: 1, packetId: 4, state: "awaitPuback" },
        settle(1),
      );
      await both(() => expect(readQueue(tested.store, "c", 5).map(({ entry }) => entry.seq)).toEqual([2]));
      await put(settle(3), enqueue(3), settle(2));
      await both(() => expect(readQueue(tested.store, "c", 5).map(({ entry }) => entry.seq)).toEqual([3]));
      await put(
        enqueue(4),
        settle(4),
        enqueue(4),
        enqueue(5),
        { op: "deleteSession", clientId: "c" },
        { op: "putSession", record: sampleSession("c") },
        enqueue(6),
      );
      await both(() => {
        expect(readQueue(tested.store, "c", 5).map(({ entry }) => entry.seq)).toEqual([6]);
        expect(tested.store.stats().messages).toBe(1);
      });
    });
  });
}
