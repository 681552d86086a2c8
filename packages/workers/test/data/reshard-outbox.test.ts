// What was on its way between workers when their number changes reaches the sessions that it was for, once.
import { join } from "node:path";
import { type Broker, createBroker } from "@wrenmq/broker";
import { homeOf, LoopbackMesh, MeshBus } from "@wrenmq/cluster";
import type { OutboxTarget, StoreOp } from "@wrenmq/store";
import { FileStore } from "@wrenmq/store-file";
import { afterEach, expect, test } from "vitest";
import { prepareData } from "../../src/data/reshard.ts";
import { noteShards, shardPath, shardsIn } from "../../src/data/shards.ts";
import { temporaryFolder } from "../support/folder.ts";

const RUN = 2 ** 47;
const idAt = (home: number, name: string): string => {
  for (let n = 0; ; n++) if (homeOf(`${name}-${n}`, 2) === home) return `${name}-${n}`;
};
const PUBLISHER = idAt(0, "publisher");
/** Two that were at home at worker 1, and one that was not. */
const THERE = [idAt(1, "one"), idAt(1, "two")];
const HERE = idAt(0, "here");
const KEPT = idAt(1, "kept");

const running: Broker[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((broker) => broker.shutdown()));
});

function message(topic: string, text: string, retain = false) {
  const content = { qos: 2, retain, properties: undefined, expiresAt: Number.POSITIVE_INFINITY } as const;
  return { topic, payload: Buffer.from(text), publisher: PUBLISHER, ...content };
}

function session(clientId: string, ...filters: string[]): StoreOp[] {
  const record = { clientId, username: undefined, expiryInterval: 1e6, disconnectedAt: 1e12, will: undefined };
  const subscription = { qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const;
  const given = { ...subscription, subscriptionIdentifier: undefined };
  return [
    { op: "putSession", record: { ...record, disconnectedAt: Date.now() } },
    ...filters.map((filter): StoreOp => ({ op: "putSubscription", clientId, filter, subscription: given })),
  ];
}

function entry(
  number: number,
  text: string,
  given: Partial<OutboxTarget> & { topic?: string; packetId?: number } = {},
): StoreOp {
  const { topic = "t", packetId = 0, ...target } = given;
  const member = { kind: "member", member: 1, plain: true, groups: [], retainedAt: 0, homes: [] } as const;
  const clientId = packetId > 0 ? PUBLISHER : "";
  const targets = [{ ...member, ...target } as OutboxTarget];
  return {
    op: "putOutbox",
    entry: { number, run: RUN, messageId: number, clientId, packetId, targets },
    message: message(topic, text, topic === KEPT),
  };
}

/** Two workers that have died in the middle of everything. */
async function fill(path: string): Promise<void> {
  noteShards(path, { workers: 2, folder: undefined });
  const facts: readonly StoreOp[][] = [
    [
      { op: "putIdentity", identity: "worker 0" },
      ...session(PUBLISHER),
      ...session(HERE, "#"),
      { op: "hold", clientId: PUBLISHER, packetId: 7 },
      entry(1, "taken"),
      entry(2, "plain", { packetId: 7 }),
      entry(3, "shared", { plain: false, groups: ["$share/g/t"] }),
      entry(4, "retained", { topic: KEPT, retainedAt: 9e15 }),
      { op: "putOutbox", ...unrouted(5) },
      undecided(6),
    ],
    [
      ...session(THERE[0] as string, "t", "$share/g/t"),
      ...session(THERE[1] as string, "t"),
      { op: "putOrigin", origin: { store: "worker 0", run: RUN, taken: 1 } },
      { op: "clearRetained", topic: KEPT, setAt: 8e15 },
    ],
  ];
  for (const [worker, ops] of facts.entries()) {
    const store = new FileStore({
      path: shardPath(path, { workers: 2, folder: undefined }, worker),
      durability: "batch",
    });
    store.open();
    await store.apply(ops);
    await store.close();
  }
}

function unrouted(number: number) {
  const targets = [{ kind: "unrouted" }] as const;
  return {
    entry: { number, run: RUN, messageId: number, clientId: "", packetId: 0, targets },
    message: message("t", "unrouted"),
  };
}

function undecided(number: number): StoreOp {
  const target = {
    kind: "session",
    clientId: HERE,
    qos: 2,
    retain: false,
    subscriptionIdentifiers: undefined,
    sharedFilter: undefined,
  } as const;
  const given = { number, run: RUN, messageId: number, clientId: "", packetId: 0, targets: [target] };
  return { op: "putOutbox", entry: given, message: message("u", "undecided") };
}

/** What the sessions have after everything has come to rest. */
async function settled(path: string, workers: number): Promise<ReadonlyMap<string, string[]>> {
  const shards = shardsIn(path) as NonNullable<ReturnType<typeof shardsIn>>;
  const stores = Array.from(
    { length: workers },
    (_, worker) => new FileStore({ path: shardPath(path, shards, worker), durability: "batch" }),
  );
  const mesh = new LoopbackMesh();
  const brokers = stores.map((store, self) =>
    createBroker({
      store,
      listeners: { memory: { type: "external" } },
      sys: { intervalSeconds: 0 },
      ...(workers === 1 ? {} : { bus: new MeshBus({ self, count: workers, transport: mesh.member(self) }) }),
    }),
  );
  running.push(...brokers);
  await Promise.all(brokers.map((broker) => broker.start()));
  const isDone = (): boolean =>
    stores.every((store) => store.stats().outbox === 0) && brokers.every((broker) => [...broker.retained()].length > 0);
  for (let left = 500; left > 0 && !isDone(); left--) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(stores.map((store) => store.stats().outbox)).toEqual(stores.map(() => 0));
  const queues = new Map<string, string[]>();
  for (const store of stores) {
    for (const { record } of store.sessions()) {
      const queued = store.queue(record.clientId, -1, 100).map((found) => String(Buffer.from(found.message.payload)));
      queues.set(record.clientId, queued.sort());
    }
  }
  for (const broker of brokers) expect([...broker.retained()].map(({ topic }) => topic)).toEqual([KEPT]);
  return queues;
}

test.each([1, 3, 5])("from two workers to %d", async (workers) => {
  const path = join(await temporaryFolder(), "data");
  await fill(path);
  await prepareData(path, workers);
  const queues = await settled(path, workers);
  expect(queues.get(HERE)).toEqual(["undecided", "unrouted"]);
  expect(queues.get(THERE[1] as string)).toEqual(["plain", "unrouted"]);
  // The member of the shared subscription, too.
  expect(queues.get(THERE[0] as string)).toEqual(["plain", "shared", "unrouted", "unrouted"]);
});

test("twice, before anybody has come", async () => {
  const path = join(await temporaryFolder(), "data");
  await fill(path);
  await prepareData(path, 4);
  await prepareData(path, 3);
  const queues = await settled(path, 3);
  expect(queues.get(HERE)).toEqual(["undecided", "unrouted"]);
  expect(THERE.map((clientId) => queues.get(clientId))).toEqual([
    ["plain", "shared", "unrouted", "unrouted"],
    ["plain", "unrouted"],
  ]);
});
