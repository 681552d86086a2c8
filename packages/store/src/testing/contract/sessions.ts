// Sessions, their subscriptions and held packet identifiers.
import { describe, expect, it } from "vitest";
import type { StoreOp } from "../../store.ts";
import { contentsOf } from "../contents.ts";
import { sampleEntry, sampleMessage, sampleSession, sampleSubscription } from "../samples.ts";
import type { TestedStore } from "./tested-store.ts";

export function describeSessions(tested: TestedStore): void {
  const { put, both } = tested;

  describe("sessions", () => {
    it("starts empty", async () => {
      await both(() => {
        expect([...tested.store.sessions()]).toEqual([]);
        expect([...tested.store.retained()]).toEqual([]);
        expect(tested.store.queue("nobody", 0, 10)).toEqual([]);
        expect(tested.store.message("nobody", 1)).toBeUndefined();
        expect([...tested.store.outbox()]).toEqual([]);
        expect(tested.store.stats()).toMatchObject({ sessions: 0, messages: 0, retained: 0, outbox: 0 });
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
      await both(() => expect(contentsOf(tested.store).sessions["c"]?.record).toEqual(record));
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
        expect(contentsOf(tested.store).sessions["c"]).toMatchObject({ record, inboundPacketIds: [5] });
        expect(contentsOf(tested.store).sessions["c"]?.subscriptions).toHaveLength(1);
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
        expect(tested.store.stats()).toMatchObject({ sessions: 1, messages: 1 });
        expect(tested.store.queue("c", 0, 10)).toEqual([]);
        expect(tested.store.queue("d", 0, 10)).toHaveLength(1);
      });
      await put({ op: "putSession", record: sampleSession("c") });
      await both(() =>
        expect(contentsOf(tested.store).sessions["c"]).toMatchObject({
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
      await both(() => expect(tested.store.stats()).toMatchObject({ sessions: 0, messages: 0, retained: 0 }));
      await put({ op: "putSession", record: sampleSession("c") });
      await both(() =>
        expect(contentsOf(tested.store).sessions["c"]).toMatchObject({
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
    await both(() => expect(contentsOf(tested.store).sessions["c"]?.subscriptions).toEqual([["a/#", subscription]]));
  });

  it("holds and releases inbound packet identifiers", async () => {
    await put({ op: "putSession", record: sampleSession("c") });
    await put(...[1, 65_535, 7, 7].map((packetId): StoreOp => ({ op: "hold", clientId: "c", packetId })));
    await put({ op: "release", clientId: "c", packetId: 7 });
    await both(() => expect(contentsOf(tested.store).sessions["c"]?.inboundPacketIds).toEqual([1, 65_535]));
  });
}
