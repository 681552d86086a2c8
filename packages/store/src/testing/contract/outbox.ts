// The outbox.
import { describe, expect, it } from "vitest";
import { contentsOf } from "../contents.ts";
import { sampleEntry, sampleMessage, sampleOutboxEntry, sampleSession } from "../samples.ts";
import type { TestedStore } from "./tested-store.ts";

export function describeOutbox(tested: TestedStore): void {
  const { put, both } = tested;

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
        const { outbox } = contentsOf(tested.store);
        expect(outbox.map(({ entry }) => entry)).toEqual([first, second, third, fourth]);
        expect(outbox[0]?.message).toEqual(message);
        expect(tested.store.stats()).toMatchObject({ outbox: 4, lastMessageId: 2 ** 50 });
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
      await both(() => expect(tested.store.stats()).toMatchObject({ messages: 1, outbox: 2 }));
      await put({ op: "settle", clientId: "c", seq: 1 }, { op: "settleOutbox", number: 1 });
      await both(() => {
        expect(tested.store.stats()).toMatchObject({ messages: 1, outbox: 1 });
        expect(contentsOf(tested.store).outbox[0]?.message).toEqual(message);
      });
      await put({ op: "settleOutbox", number: 2 });
      await both(() => expect(tested.store.stats()).toMatchObject({ messages: 0, outbox: 0 }));
    });

    it("stays when the session of the publisher ends, and an entry can be replaced", async () => {
      const entry = sampleOutboxEntry(1, { clientId: "c", packetId: 5 });
      await put(
        { op: "putSession", record: sampleSession("c") },
        { op: "hold", clientId: "c", packetId: 5 },
        { op: "putOutbox", entry, message: sampleMessage() },
      );
      await put({ op: "deleteSession", clientId: "c" });
      await both(() => expect(contentsOf(tested.store).outbox.map((found) => found.entry)).toEqual([entry]));
      const other = sampleOutboxEntry(1, { messageId: 1 });
      await put({ op: "putOutbox", entry: other, message: sampleMessage() });
      await both(() => expect(contentsOf(tested.store).outbox.map((found) => found.entry)).toEqual([other]));
    });

    it("ignores an entry that is settled twice, or was never there", async () => {
      await put({ op: "putOutbox", entry: sampleOutboxEntry(1), message: sampleMessage() });
      await put(
        { op: "settleOutbox", number: 1 },
        { op: "settleOutbox", number: 1 },
        { op: "settleOutbox", number: 7 },
      );
      await both(() => expect(tested.store.stats()).toMatchObject({ messages: 0, outbox: 0 }));
    });

    it("remembers up to where it has taken what came from each origin, and what it is known by itself", async () => {
      await both(() => expect([[...tested.store.origins()], tested.store.identity()]).toEqual([[], undefined]));
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
        expect([...tested.store.origins()].sort((a, b) => a.taken - b.taken)).toEqual([
          { store: "y", run: 2, taken: 0 },
          { store: "x", run: 2 ** 48 - 1, taken: 6 },
        ]);
        expect(tested.store.identity()).toBe("b");
      });
    });
  });
}
