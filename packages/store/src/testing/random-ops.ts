// Random histories of a store: few clients, few messages, so that facts meet. They keep to what a broker does: `seq`
// grows, and a message identifier always stands for the same message.
import * as fc from "fast-check";
import type { StoreOp } from "../store.ts";
import { sampleEntry, sampleMessage, sampleSession, sampleSubscription } from "./samples.ts";

const client = fc.constantFrom("a", "b", "ü", "");
const topic = fc.constantFrom("t/1", "t/2", "t/3", "温度");
const state = fc.constantFrom("queued", "awaitPuback", "awaitPubrec", "awaitPubcomp");

type Draft = (seqOf: (clientId: string, back: number) => number) => StoreOp;

const draft: fc.Arbitrary<Draft> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.tuple(client, fc.integer({ min: 0, max: 5 })).map(
      ([clientId, n]) =>
        () =>
          putSession(clientId, n),
    ),
  },
  { weight: 1, arbitrary: client.map((clientId) => (): StoreOp => ({ op: "deleteSession", clientId })) },
  {
    weight: 2,
    arbitrary: fc.tuple(client, topic, fc.constantFrom(0, 1, 2)).map(
      ([clientId, filter, n]) =>
        (): StoreOp => ({
          op: "putSubscription",
          clientId,
          filter,
          subscription: sampleSubscription({
            qos: n,
            retainHandling: n,
            noLocal: n === 1,
            subscriptionIdentifier: n === 0 ? undefined : n * 1000,
          }),
        }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(client, topic).map(
      ([clientId, filter]) =>
        (): StoreOp => ({ op: "deleteSubscription", clientId, filter }),
    ),
  },
  {
    weight: 8,
    arbitrary: fc.tuple(client, fc.integer({ min: 1, max: 12 }), state, fc.boolean()).map(
      ([clientId, messageId, at, retain]) =>
        (seqOf: (clientId: string, back: number) => number): StoreOp => ({
          op: "enqueue",
          clientId,
          entry: sampleEntry(seqOf(clientId, -1), {
            messageId,
            retain,
            qos: messageId % 2 === 0 ? 2 : 1,
            state: at === "awaitPubcomp" ? "queued" : at,
            packetId: at === "awaitPuback" || at === "awaitPubrec" ? messageId : 0,
            subscriptionIdentifiers: messageId % 3 === 0 ? [messageId, 268_435_455] : undefined,
          }),
          message: messageFor(messageId),
        }),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(client, fc.integer({ min: 0, max: 6 }), state, fc.integer({ min: 0, max: 65_535 })).map(
      ([clientId, back, to, packetId]) =>
        (seqOf: (clientId: string, back: number) => number): StoreOp => ({
          op: "advance",
          clientId,
          seq: seqOf(clientId, back),
          packetId,
          state: to,
        }),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(client, fc.integer({ min: 0, max: 6 })).map(
      ([clientId, back]) =>
        (seqOf: (clientId: string, back: number) => number): StoreOp => ({
          op: "settle",
          clientId,
          seq: seqOf(clientId, back),
        }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(client, fc.integer({ min: 1, max: 4 })).map(
      ([clientId, packetId]) =>
        (): StoreOp => ({ op: "hold", clientId, packetId }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(client, fc.integer({ min: 1, max: 4 })).map(
      ([clientId, packetId]) =>
        (): StoreOp => ({ op: "release", clientId, packetId }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(topic, fc.uint8Array({ maxLength: 40 })).map(
      ([name, payload]) =>
        (): StoreOp => ({ op: "putRetained", message: sampleMessage({ topic: name, payload, retain: true }) }),
    ),
  },
  { weight: 1, arbitrary: topic.map((name) => (): StoreOp => ({ op: "deleteRetained", topic: name })) },
);

/** Batches of operations. */
export const randomBatches: fc.Arbitrary<StoreOp[][]> = fc
  .array(fc.array(draft, { maxLength: 12 }), { maxLength: 30 })
  .map((batches) => {
    const last = new Map<string, number>();
    const seqOf = (clientId: string, back: number): number => {
      const highest = last.get(clientId) ?? 0;
      if (back >= 0) return Math.max(1, highest - back);
      last.set(clientId, highest + 1);
      return highest + 1;
    };
    return batches.map((batch) => batch.map((make) => make(seqOf)));
  });

function putSession(clientId: string, n: number): StoreOp {
  const will = n < 2 ? undefined : { delay: n, message: sampleMessage({ topic: `will/${n}` }) };
  return {
    op: "putSession",
    record: sampleSession(clientId, {
      username: n % 2 === 0 ? undefined : `user ${n}`,
      expiryInterval: n === 0 ? Number.POSITIVE_INFINITY : n,
      disconnectedAt: n === 3 ? 1_700_000_000_000 : undefined,
      will,
    }),
  };
}

function messageFor(id: number): ReturnType<typeof sampleMessage> {
  return sampleMessage({
    topic: `topic/${id}`,
    payload: new Uint8Array(id * 3).fill(id),
    qos: id % 2 === 0 ? 2 : 1,
    properties: id % 4 === 0 ? { contentType: "text", userProperties: [["k", String(id)]] } : undefined,
    expiresAt: id % 5 === 0 ? 1_800_000_000_000 + id : Number.POSITIVE_INFINITY,
  });
}
