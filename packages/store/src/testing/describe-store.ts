// The tests that every store must pass, including stores of others.
import type { StoredMessage } from "@wrenmq/protocol";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryStore } from "../memory-store.ts";
import type { Store, StoreOp } from "../store.ts";
import { contentsOf, plain, readQueue } from "./contents.ts";
import { randomBatches } from "./random-ops.ts";
import { sampleEntry, sampleMessage, sampleOutboxEntry, sampleSession, sampleSubscription } from "./samples.ts";

/** A place for facts, empty at first. */
export interface StoreFixture {
  /** A store at this place, not open. Called again after a `close`, to check what is still there. */
  make(): Store | Promise<Store>;
  /** Removes the place. */
  dispose(): void | Promise<void>;
}

export interface DescribeStoreOptions {
  /** Random histories to run. Default 50. */
  readonly runs?: number;
}

/** Declares the tests of a store. Call it at the top level of a test file. */
export function describeStore(
  name: string,
  fixture: () => StoreFixture | Promise<StoreFixture>,
  options: DescribeStoreOptions = {},
): void {
  describe(`store contract: ${name}`, () => {
    let place: StoreFixture;
    let store: Store;

    const reopen = async (): Promise<void> => {
      await store.close();
      store = await place.make();
      await store.open();
    };
    const put = async (...ops: StoreOp[]): Promise<void> => {
      await store.apply(ops);
    };
    /** Checks now and after a restart. */
    const both = async (check: () => void): Promise<void> => {
      check();
      await reopen();
      check();
    };

    beforeEach(async () => {
      place = await fixture();
      store = await place.make();
      await store.open();
    });
    afterEach(async () => {
      await store.close();
      await place.dispose();
    });

    describe("sessions", () => {
      it("starts empty", async () => {
        await both(() => {
          expect([...store.sessions()]).toEqual([]);
          expect([...store.retained()]).toEqual([]);
          expect(store.queue("nobody", 0, 10)).toEqual([]);
          expect(store.message("nobody", 1)).toBeUndefined();
          expect([...store.outbox()]).toEqual([]);
          expect(store.stats()).toMatchObject({ sessions: 0, messages: 0, retained: 0, outbox: 0 });
        });
      });

      it("keeps every field of a session", async () => {
        const message = sampleMessage({
          topic: "will",
          properties: { contentType: "x", correlationData: new Uint8Array([9]) },
        });
        const record = sampleSession("c", {
          username: "u",
          expiryInterval: 7,
          disconnectedAt: 1e12 + 0.5,
          will: { delay: 3, message },
        });
        await put({ op: "putSession", record });
        await both(() => expect(contentsOf(store).sessions["c"]?.record).toEqual(record));
      });

      it("replaces the record and leaves the other facts", async () => {
        await put(
          { op: "putSession", record: sampleSession("c") },
          { op: "putSubscription", clientId: "c", filter: "f", subscription: sampleSubscription() },
          { op: "hold", clientId: "c", packetId: 5 },
        );
        const record = sampleSession("c", { expiryInterval: Number.POSITIVE_INFINITY });
        await put({ op: "putSession", record });
        await both(() => {
          expect(contentsOf(store).sessions["c"]).toMatchObject({ record, inboundPacketIds: [5] });
          expect(contentsOf(store).sessions["c"]?.subscriptions).toHaveLength(1);
        });
      });

      it("removes everything that belongs to a session", async () => {
        await put(
          { op: "putSession", record: sampleSession("c") },
          { op: "putSession", record: sampleSession("d") },
          { op: "putSubscription", clientId: "c", filter: "f", subscription: sampleSubscription() },
          { op: "enqueue", clientId: "c", entry: sampleEntry(1), message: sampleMessage() },
          { op: "enqueue", clientId: "c", entry: sampleEntry(2), message: sampleMessage() },
          { op: "enqueue", clientId: "d", entry: sampleEntry(1), message: sampleMessage() },
          { op: "hold", clientId: "c", packetId: 5 },
        );
        await put({ op: "deleteSession", clientId: "c" });
        await both(() => {
          expect(store.stats()).toMatchObject({ sessions: 1, messages: 1 });
          expect(store.queue("c", 0, 10)).toEqual([]);
          expect(store.queue("d", 0, 10)).toHaveLength(1);
        });
        await put({ op: "putSession", record: sampleSession("c") });
        await both(() =>
          expect(contentsOf(store).sessions["c"]).toMatchObject({
            subscriptions: [],
            queued: 0,
            firstSeq: 0,
            lastSeq: 0,
            inboundPacketIds: [],
          }),
        );
      });

      it("ignores facts of sessions that do not exist, also later", async () => {
        await put(
          { op: "deleteSession", clientId: "c" },
          { op: "putSubscription", clientId: "c", filter: "f", subscription: sampleSubscription() },
          { op: "enqueue", clientId: "c", entry: sampleEntry(1), message: sampleMessage() },
          { op: "advance", clientId: "c", seq: 1, packetId: 1, state: "awaitPuback" },
          { op: "settle", clientId: "c", seq: 9 },
          { op: "hold", clientId: "c", packetId: 1 },
          { op: "release", clientId: "c", packetId: 2 },
          { op: "deleteSubscription", clientId: "c", filter: "g" },
          { op: "deleteRetained", topic: "t" },
        );
        await both(() => expect(store.stats()).toMatchObject({ sessions: 0, messages: 0, retained: 0 }));
        await put({ op: "putSession", record: sampleSession("c") });
        await both(() =>
          expect(contentsOf(store).sessions["c"]).toMatchObject({
            subscriptions: [],
            queued: 0,
            inflight: [],
            inboundPacketIds: [],
          }),
        );
      });
    });

    it("keeps, replaces and removes subscriptions", async () => {
      const subscription = sampleSubscription({
        qos: 2,
        noLocal: true,
        retainAsPublished: true,
        retainHandling: 2,
        subscriptionIdentifier: 268_435_455,
      });
      await put(
        { op: "putSession", record: sampleSession("c") },
        { op: "putSubscription", clientId: "c", filter: "a/#", subscription: sampleSubscription() },
        { op: "putSubscription", clientId: "c", filter: "b", subscription: sampleSubscription() },
        { op: "putSubscription", clientId: "c", filter: "a/#", subscription },
        { op: "deleteSubscription", clientId: "c", filter: "b" },
      );
      await both(() => expect(contentsOf(store).sessions["c"]?.subscriptions).toEqual([["a/#", subscription]]));
    });

    it("holds and releases inbound packet identifiers", async () => {
      await put({ op: "putSession", record: sampleSession("c") });
      await put(...[1, 65_535, 7, 7].map((packetId): StoreOp => ({ op: "hold", clientId: "c", packetId })));
      await put({ op: "release", clientId: "c", packetId: 7 });
      await both(() => expect(contentsOf(store).sessions["c"]?.inboundPacketIds).toEqual([1, 65_535]));
    });

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
          expect(readQueue(store, "c", 10)).toEqual([{ entry, message }]);
          expect(plain(store.message("c", entry.seq)!)).toEqual(message);
        });
      });

      it("tells no properties from empty ones", async () => {
        await put(
          { op: "enqueue", clientId: "c", entry: sampleEntry(1), message: sampleMessage() },
          { op: "enqueue", clientId: "c", entry: sampleEntry(2), message: sampleMessage({ properties: {} }) },
        );
        await both(() =>
          expect(store.queue("c", 0, 9).map((each) => each.message.properties)).toEqual([undefined, {}]),
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
          expect(store.queue("c", 0, 0)).toEqual([]);
          expect(store.queue("c", 0, 3).map(({ entry }) => entry.seq)).toEqual([3, 6, 9]);
          expect(store.queue("c", 26, 3).map(({ entry }) => entry.seq)).toEqual([27, 36, 39]);
          expect(store.queue("c", 897, 5).map(({ entry }) => entry.seq)).toEqual([900]);
          expect(store.queue("c", 900, 5)).toEqual([]);
          const all = readQueue(store, "c", 64);
          expect(all.map(({ entry }) => entry.seq)).toEqual(
            Array.from({ length: 300 }, (_, i) => (i + 1) * 3).filter((seq) => seq !== 30 && seq !== 33),
          );
          expect(all.every(({ entry, message }) => message.payload[0] === (entry.seq / 3) % 256)).toBe(true);
          expect(contentsOf(store).sessions["c"]).toMatchObject({ queued: 298, firstSeq: 3, lastSeq: 900 });
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
          const session = contentsOf(store).sessions["c"];
          expect(session?.inflight.map(({ entry }) => [entry.seq, entry.packetId, entry.state])).toEqual([
            [1, 65_535, "awaitPubrec"],
            [2, 8, "awaitPubrec"],
          ]);
          expect(session?.queued).toBe(1);
          expect(store.message("c", 1)).toBeDefined();
        });
        await put(
          { op: "advance", clientId: "c", seq: 1, packetId: 65_535, state: "awaitPubcomp" },
          { op: "advance", clientId: "c", seq: 2, packetId: 0, state: "queued" },
        );
        await both(() => {
          expect(store.message("c", 1)).toBeUndefined();
          expect(contentsOf(store).sessions["c"]).toMatchObject({
            queued: 2,
            firstSeq: 1,
            lastSeq: 3,
            inflight: [{ entry: { seq: 1, state: "awaitPubcomp" } }],
          });
          expect(store.stats().messages).toBe(2);
        });
        await put({ op: "settle", clientId: "c", seq: 1 });
        await both(() => expect(contentsOf(store).sessions["c"]).toMatchObject({ inflight: [], firstSeq: 2 }));
      });

      it("takes entries that are in flight from the start", async () => {
        const entry = sampleEntry(1, { state: "awaitPuback", packetId: 77 });
        await put({ op: "enqueue", clientId: "c", entry, message: sampleMessage() });
        await both(() => {
          expect(contentsOf(store).sessions["c"]?.inflight).toEqual([{ entry, message: sampleMessage() }]);
          expect(store.queue("c", 0, 10)).toEqual([]);
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
        await both(() => expect(store.stats().messages).toBe(1));
        await put({ op: "settle", clientId: "c", seq: 1 });
        await put({ op: "advance", clientId: "d", seq: 1, packetId: 1, state: "awaitPubcomp" });
        await both(() => {
          expect(store.stats().messages).toBe(1);
          expect(plain(store.message("d", 2)!)).toEqual(sampleMessage());
        });
        await put({ op: "settle", clientId: "d", seq: 2 });
        await both(() => expect(store.stats().messages).toBe(0));
        await put({ op: "settle", clientId: "d", seq: 1 }, { op: "settle", clientId: "d", seq: 1 });
        await both(() => expect(contentsOf(store).sessions["d"]).toMatchObject({ inflight: [], queued: 0 }));
      });

      it("hands a message from one session to another within a batch", async () => {
        await put({ op: "enqueue", clientId: "c", entry: sampleEntry(1, { messageId: 9 }), message: sampleMessage() });
        await put(
          { op: "settle", clientId: "c", seq: 1 },
          { op: "enqueue", clientId: "d", entry: sampleEntry(1, { messageId: 9 }), message: sampleMessage() },
        );
        await both(() =>
          expect(readQueue(store, "d", 5)).toEqual([
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
        expect(store.stats().lastMessageId).toBe(0);
        await put(enqueue(1, 12), enqueue(2, 2 ** 45), enqueue(3, 13));
        await both(() => expect(store.stats().lastMessageId).toBeGreaterThanOrEqual(2 ** 45));
      });

      it("uses a message identifier again once its message is gone", async () => {
        await put({ op: "enqueue", clientId: "c", entry: sampleEntry(1, { messageId: 9 }), message: sampleMessage() });
        await put({ op: "settle", clientId: "c", seq: 1 });
        const other = sampleMessage({ topic: "other" });
        await put({ op: "enqueue", clientId: "c", entry: sampleEntry(2, { messageId: 9 }), message: other });
        await both(() => expect(plain(store.message("c", 2)!)).toEqual(other));
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
        await both(() => expect(readQueue(store, "c", 5).map(({ entry }) => entry.seq)).toEqual([2]));
        await put(settle(3), enqueue(3), settle(2));
        await both(() => expect(readQueue(store, "c", 5).map(({ entry }) => entry.seq)).toEqual([3]));
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
          expect(readQueue(store, "c", 5).map(({ entry }) => entry.seq)).toEqual([6]);
          expect(store.stats().messages).toBe(1);
        });
      });
    });

    describe("stamps of retained messages", () => {
      it("are kept with the message, and after it was cleared, until the topic is deleted", async () => {
        const message = (name: string): StoredMessage => sampleMessage({ topic: name, retain: true });
        await put(
          { op: "putRetained", message: message("a"), setAt: 2 ** 52 + 1 },
          { op: "putRetained", message: message("b"), setAt: 3 },
          { op: "putRetained", message: message("c") },
          { op: "putRetained", message: message("d"), setAt: 4 },
          { op: "putRetained", message: message("e"), setAt: 5 },
        );
        await put(
          { op: "clearRetained", topic: "b", setAt: 6 },
          { op: "clearRetained", topic: "new", setAt: 7 },
          { op: "deleteRetained", topic: "d" },
          { op: "putRetained", message: message("e") },
        );
        await both(() => {
          expect([...store.retained()].map(({ topic: name }) => name).sort()).toEqual(["a", "c", "e"]);
          expect(store.stats().retained).toBe(3);
          expect(contentsOf(store).stamps).toEqual({
            a: { topic: "a", setAt: 2 ** 52 + 1, isSet: true },
            b: { topic: "b", setAt: 6, isSet: false },
            new: { topic: "new", setAt: 7, isSet: false },
          });
        });
        await put({ op: "deleteRetained", topic: "b" }, { op: "putRetained", message: message("new"), setAt: 8 });
        await both(() => {
          const { stamps } = contentsOf(store);
          expect([stamps["b"], stamps["new"]]).toEqual([undefined, { topic: "new", setAt: 8, isSet: true }]);
        });
      });
    });

    describe("retained messages", () => {
      it("keeps the last for each topic", async () => {
        const retained = (topic: string, byte: number): StoreOp => ({
          op: "putRetained",
          message: sampleMessage({ topic, payload: new Uint8Array([byte]), retain: true }),
        });
        await put(retained("a", 1), retained("b", 2), retained("a", 3));
        await put(retained("b", 4), { op: "deleteRetained", topic: "c" });
        await both(() => {
          const { retained: held } = contentsOf(store);
          expect(
            Object.entries(held)
              .map(([topic, { payload }]) => [topic, payload[0]])
              .sort(),
          ).toEqual([
            ["a", 3],
            ["b", 4],
          ]);
          expect(store.stats().retained).toBe(2);
        });
        await put({ op: "deleteRetained", topic: "a" });
        await both(() => expect(Object.keys(contentsOf(store).retained)).toEqual(["b"]));
      });
    });

    describe("outbox", () => {
      it("keeps every field of an entry, and the entries in the order of their numbers", async () => {
        const first = sampleOutboxEntry(3, {
          run: 2 ** 48 - 1,
          messageId: 2 ** 50,
          clientId: "温度",
          packetId: 65_535,
          targets: [
            { kind: "member", member: 2, plain: true, groups: [], retainedAt: 0, homes: [] },
            {
              kind: "member",
              member: 63,
              plain: false,
              groups: ["$share/g/a", "$share/h/#"],
              retainedAt: 2 ** 50 + 1,
              homes: [],
            },
            {
              kind: "everywhere",
              plain: true,
              groups: [],
              retainedAt: 0,
              homes: [
                { home: 1, count: 4 },
                { home: 0, count: 2 },
              ],
            },
          ],
        });
        const second = sampleOutboxEntry(4, {
          targets: [
            {
              kind: "session",
              clientId: "s",
              qos: 2,
              retain: true,
              subscriptionIdentifiers: [1, 268_435_455],
              sharedFilter: undefined,
            },
          ],
        });
        const third = sampleOutboxEntry(5, {
          targets: [
            {
              kind: "session",
              clientId: "",
              qos: 1,
              retain: false,
              subscriptionIdentifiers: undefined,
              sharedFilter: "$share/g/ü",
            },
          ],
        });
        const fourth = sampleOutboxEntry(6, { targets: [{ kind: "unrouted" }] });
        const message = sampleMessage({ qos: 2, properties: { userProperties: [["a", "b"]] }, publisher: "温度" });
        await put(
          { op: "putOutbox", entry: fourth, message: sampleMessage() },
          { op: "putOutbox", entry: third, message: sampleMessage() },
          { op: "putOutbox", entry: second, message: sampleMessage() },
          { op: "putOutbox", entry: first, message },
        );
        await both(() => {
          const { outbox } = contentsOf(store);
          expect(outbox.map(({ entry }) => entry)).toEqual([first, second, third, fourth]);
          expect(outbox[0]?.message).toEqual(message);
          expect(store.stats()).toMatchObject({ outbox: 4, lastMessageId: 2 ** 50 });
        });
      });

      it("shares a message with queues, until neither needs it", async () => {
        const message = sampleMessage();
        await put(
          { op: "putSession", record: sampleSession("c") },
          { op: "enqueue", clientId: "c", entry: sampleEntry(1, { messageId: 9 }), message },
          { op: "putOutbox", entry: sampleOutboxEntry(1, { messageId: 9 }), message },
          { op: "putOutbox", entry: sampleOutboxEntry(2, { messageId: 9 }), message },
        );
        await both(() => expect(store.stats()).toMatchObject({ messages: 1, outbox: 2 }));
        await put({ op: "settle", clientId: "c", seq: 1 }, { op: "settleOutbox", number: 1 });
        await both(() => {
          expect(store.stats()).toMatchObject({ messages: 1, outbox: 1 });
          expect(contentsOf(store).outbox[0]?.message).toEqual(message);
        });
        await put({ op: "settleOutbox", number: 2 });
        await both(() => expect(store.stats()).toMatchObject({ messages: 0, outbox: 0 }));
      });

      it("stays when the session of the publisher ends, and an entry can be replaced", async () => {
        const entry = sampleOutboxEntry(1, { clientId: "c", packetId: 5 });
        await put(
          { op: "putSession", record: sampleSession("c") },
          { op: "hold", clientId: "c", packetId: 5 },
          { op: "putOutbox", entry, message: sampleMessage() },
        );
        await put({ op: "deleteSession", clientId: "c" });
        await both(() => expect(contentsOf(store).outbox.map((found) => found.entry)).toEqual([entry]));
        const other = sampleOutboxEntry(1, { messageId: 1 });
        await put({ op: "putOutbox", entry: other, message: sampleMessage() });
        await both(() => expect(contentsOf(store).outbox.map((found) => found.entry)).toEqual([other]));
      });

      it("ignores an entry that is settled twice, or was never there", async () => {
        await put({ op: "putOutbox", entry: sampleOutboxEntry(1), message: sampleMessage() });
        await put(
          { op: "settleOutbox", number: 1 },
          { op: "settleOutbox", number: 1 },
          { op: "settleOutbox", number: 7 },
        );
        await both(() => expect(store.stats()).toMatchObject({ messages: 0, outbox: 0 }));
      });

      it("remembers up to where it has taken what came from each origin, and what it is known by itself", async () => {
        await both(() => expect([[...store.origins()], store.identity()]).toEqual([[], undefined]));
        await put(
          { op: "putIdentity", identity: "a" },
          { op: "putOrigin", origin: { store: "x", run: 2 ** 48 - 1, taken: 5 } },
          { op: "putOrigin", origin: { store: "x", run: 2, taken: 2 ** 50 } },
          { op: "putOrigin", origin: { store: "y", run: 2, taken: 0 } },
        );
        await put(
          { op: "putOrigin", origin: { store: "x", run: 2 ** 48 - 1, taken: 6 } },
          { op: "deleteOrigin", store: "x", run: 2 },
          { op: "deleteOrigin", store: "z", run: 2 },
          { op: "putIdentity", identity: "b" },
        );
        await both(() => {
          expect([...store.origins()].sort((a, b) => a.taken - b.taken)).toEqual([
            { store: "y", run: 2, taken: 0 },
            { store: "x", run: 2 ** 48 - 1, taken: 6 },
          ]);
          expect(store.identity()).toBe("b");
        });
      });
    });

    describe("sizes", () => {
      it("keeps topics, filters and client identifiers of 65,535 bytes", async () => {
        const long = (letter: string): string => letter.repeat(65_535 / new TextEncoder().encode(letter).length);
        const clientId = long("c");
        await put(
          { op: "putSession", record: sampleSession(clientId, { username: long("u") }) },
          { op: "putSubscription", clientId, filter: long("温"), subscription: sampleSubscription() },
          {
            op: "enqueue",
            clientId,
            entry: sampleEntry(1),
            message: sampleMessage({ topic: long("t"), publisher: clientId }),
          },
          { op: "putRetained", message: sampleMessage({ topic: long("r") }) },
        );
        await both(() => {
          const session = contentsOf(store).sessions[clientId];
          expect(session?.subscriptions[0]?.[0]).toBe(long("温"));
          expect(session?.queue[0]?.message.topic).toBe(long("t"));
          expect([...store.retained()][0]?.topic).toBe(long("r"));
        });
      });

      it("keeps payloads of 0 bytes and of 20 million", { timeout: 60_000 }, async () => {
        const big = new Uint8Array(20_000_000).map((_, i) => i * 7);
        await put(
          { op: "putSession", record: sampleSession("c") },
          { op: "enqueue", clientId: "c", entry: sampleEntry(1), message: sampleMessage({ payload: big }) },
          {
            op: "enqueue",
            clientId: "c",
            entry: sampleEntry(2),
            message: sampleMessage({ payload: new Uint8Array(0) }),
          },
        );
        await both(() => {
          const [first, second] = store.queue("c", 0, 2);
          expect(Buffer.compare(first!.message.payload, big)).toBe(0);
          expect(second?.message.payload.length).toBe(0);
        });
      });

      it("takes batches of thousands of operations, and empty ones", async () => {
        await put();
        const ops: StoreOp[] = [{ op: "putSession", record: sampleSession("c") }];
        for (let seq = 1; seq <= 5000; seq++)
          ops.push({
            op: "enqueue",
            clientId: "c",
            entry: sampleEntry(seq),
            message: sampleMessage({ topic: `t/${seq}` }),
          });
        await put(...ops);
        await put();
        await both(() =>
          expect(readQueue(store, "c", 1000).map(({ message }) => message.topic)).toEqual(
            Array.from({ length: 5000 }, (_, i) => `t/${i + 1}`),
          ),
        );
      });
    });

    describe("lifecycle", () => {
      it("sees in reads what was applied before, durable or not", async () => {
        const durable = store.apply([{ op: "putSession", record: sampleSession("c") }]);
        expect([...store.sessions()]).toHaveLength(1);
        await durable;
      });

      it("takes several batches that are under way at once", async () => {
        const pending: (undefined | Promise<void>)[] = [
          store.apply([{ op: "putSession", record: sampleSession("c") }]),
        ];
        for (let seq = 1; seq <= 50; seq++)
          pending.push(
            store.apply([{ op: "enqueue", clientId: "c", entry: sampleEntry(seq), message: sampleMessage() }]),
          );
        for (const durable of pending) await durable;
        await both(() =>
          expect(readQueue(store, "c", 100).map(({ entry }) => entry.seq)).toEqual(
            Array.from({ length: 50 }, (_, i) => i + 1),
          ),
        );
      });

      it("refuses batches while it is closed", async () => {
        await store.close();
        await expect(
          (async () => store.apply([{ op: "putSession", record: sampleSession("c") }]))(),
        ).rejects.toMatchObject({ name: "StoreError", code: "ERR_STORE_CLOSED" });
        await store.close();
        await store.open();
        expect([...store.sessions()]).toEqual([]);
      });
    });

    it("equals the memory store after any history, also when it is opened again in the middle", {
      timeout: 60_000,
    }, async () => {
      await fc.assert(
        fc.asyncProperty(randomBatches, fc.integer({ min: 0, max: 30 }), async (batches, restartAt) => {
          const own = await fixture();
          let tested = await own.make();
          await tested.open();
          const model = new MemoryStore();
          model.open();
          try {
            for (const [i, batch] of batches.entries()) {
              if (i === restartAt) {
                await tested.close();
                tested = await own.make();
                await tested.open();
                expect(contentsOf(tested)).toEqual(contentsOf(model));
              }
              const durable = tested.apply(batch);
              model.apply(batch);
              await durable;
            }
            expect(contentsOf(tested)).toEqual(contentsOf(model));
            await tested.close();
            tested = await own.make();
            await tested.open();
            expect(contentsOf(tested)).toEqual(contentsOf(model));
          } finally {
            await tested.close();
            await own.dispose();
          }
        }),
        { numRuns: options.runs ?? 50 },
      );
    });
  });
}
