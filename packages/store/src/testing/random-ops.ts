// Random histories of a store: few clients and few messages, so that facts interact. They keep to what a broker does:
// `seq` grows (sometimes a number comes late or again) and begins anew with the session, and a message identifier
// always stands for the same message.
import * as fc from "fast-check";
import type { OutboxTarget } from "../outbox.ts";
import type { StoreOp } from "../store.ts";
import { sampleEntry, sampleMessage, sampleOutboxEntry, sampleSession, sampleSubscription } from "./samples.ts";

const client = fc.constantFrom("a", "b", "ü", "");
const topic = fc.constantFrom("t/1", "t/2", "t/3", "温度");
const state = fc.constantFrom("queued", "awaitPuback", "awaitPubrec", "awaitPubcomp");

/** The position of an entry: nearly always the end. */
const position = fc.oneof(
  { weight: 9, arbitrary: fc.constant(-1) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 6 }) },
);

/** The number of a client's entry that is `back` entries back; -1: of its next one. */
type SeqOf = (clientId: string, back: number) => number;
type Draft = (seqOf: SeqOf) => StoreOp | StoreOp[];

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
    weight: 1,
    arbitrary: client.map((clientId) => (): StoreOp[] => [{ op: "deleteSession", clientId }, putSession(clientId, 1)]),
  },
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
    arbitrary: fc.tuple(client, fc.integer({ min: 1, max: 12 }), state, fc.boolean(), position).map(
      ([clientId, messageId, at, retain, back]) =>
        (seqOf: SeqOf): StoreOp => ({
          op: "enqueue",
          clientId,
          entry: sampleEntry(seqOf(clientId, back), {
            messageId,
            retain,
            qos: messageId % 2 === 0 ? 2 : 1,
            state: at,
            packetId: at === "queued" ? 0 : messageId,
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
        (seqOf: SeqOf): StoreOp => ({
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
        (seqOf: SeqOf): StoreOp => ({
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
    arbitrary: fc
      .tuple(topic, fc.uint8Array({ maxLength: 40 }), fc.option(fc.integer({ min: 1 }), { nil: undefined }))
      .map(
        ([name, payload, setAt]) =>
          (): StoreOp => ({
            op: "putRetained",
            message: sampleMessage({ topic: name, payload, retain: true }),
            ...(setAt === undefined ? {} : { setAt: 2 ** 50 + setAt }),
          }),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(topic, fc.integer({ min: 1 })).map(
      ([name, setAt]) =>
        (): StoreOp => ({ op: "clearRetained", topic: name, setAt }),
    ),
  },
  { weight: 1, arbitrary: topic.map((name) => (): StoreOp => ({ op: "deleteRetained", topic: name })) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 12 })).map(
      ([number, messageId]) =>
        (): StoreOp => ({
          op: "putOutbox",
          entry: sampleOutboxEntry(number, {
            messageId,
            run: 2 ** 47 + messageId,
            clientId: messageId % 2 === 0 ? "ü" : "",
            packetId: messageId % 2 === 0 ? 65_535 : 0,
            targets: outboxTargets(messageId),
          }),
          message: messageFor(messageId),
        }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 8 }).map((number) => (): StoreOp => ({ op: "settleOutbox", number })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom("s", "store-ü"), fc.integer({ min: 0, max: 2 }), fc.nat()).map(
      ([store, run, taken]) =>
        (): StoreOp => ({ op: "putOrigin", origin: { store, run, taken } }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 2 }).map((run) => (): StoreOp => ({ op: "deleteOrigin", store: "s", run })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("me", "another").map((identity) => (): StoreOp => ({ op: "putIdentity", identity })),
  },
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
    return batches.map((batch) =>
      batch.flatMap((make) => {
        const ops = [make(seqOf)].flat();
        for (const { op, ...of } of ops) if (op === "deleteSession" && "clientId" in of) last.delete(of.clientId);
        return ops;
      }),
    );
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

function outboxTargets(n: number): OutboxTarget[] {
  if (n === 5) return [{ kind: "unrouted" }];
  const groups = n % 2 === 0 ? [] : ["$share/g/t", "$share/ü/#"];
  const homes =
    n % 3 === 0
      ? [
          { home: 1, count: 3 },
          { home: 0, count: 64 },
        ]
      : [];
  const targets: OutboxTarget[] = [
    { kind: "member", member: n, plain: n % 3 === 0, groups, retainedAt: n * 1e12, homes },
  ];
  if (n % 3 === 0) targets.push({ kind: "everywhere", plain: true, groups, retainedAt: 0, homes });
  if (n % 4 > 0) return targets;
  const subscriptionIdentifiers = n % 8 === 0 ? [n, 268_435_455] : undefined;
  return [
    {
      kind: "session",
      clientId: "b",
      qos: n % 8 === 0 ? 2 : 1,
      retain: n === 8,
      subscriptionIdentifiers,
      sharedFilter: n === 8 ? "$share/g/t" : undefined,
    },
  ];
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
