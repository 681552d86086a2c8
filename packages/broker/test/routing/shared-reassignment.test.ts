// Shared subscriptions: what a member has not got when its session ends. The conformance scenarios have the protocol's side.
import { MemoryStore } from "@wrenmq/store";
import { describe, expect, test } from "vitest";
import { clientIdAt, startCluster } from "../clustering/cluster-fixture.ts";
import { type BrokerFixture, type RawClient, startBroker, text } from "../support.ts";

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));
const WORK = "$share/g/work/#";

async function member(fixture: BrokerFixture, clientId: string, expiry = 0, filter = WORK): Promise<RawClient> {
  const client = await fixture.connect(5, {
    clientId,
    properties: { sessionExpiryInterval: expiry, receiveMaximum: 10 },
  });
  await client.subscribe(filter, { qos: 2 });
  return client;
}

/** Takes all that comes, acknowledged, until nothing more does. */
async function takeAll(client: RawClient): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const packets = (await client.rest()).filter((packet) => packet.type === "publish");
    if (packets.length === 0) return all;
    for (const packet of packets) {
      all.push(text(packet.payload));
      await client.acknowledge(packet);
    }
  }
}

describe("what a member has not got when its session ends", () => {
  test("is dropped and counted when it was the last one", async () => {
    const fixture = await startBroker();
    const only = await member(fixture, "only");
    for (const number of numbers(15)) fixture.broker.publish("work/a", number, { qos: 1 });
    await fixture.clock.settle();
    await only.cut();
    expect(fixture.broker.metrics()).toMatchObject({ droppedSessionEnded: 15 });
    await fixture.stop();
  });

  test("goes from one to the next until somebody takes it, or the last one has gone", async () => {
    const fixture = await startBroker();
    const clients = [await member(fixture, "0")];
    for (const number of numbers(15)) fixture.broker.publish("work/a", number, { qos: 1 });
    for (const clientId of ["1", "2", "3"]) clients.push(await member(fixture, clientId));
    for (const client of clients.slice(0, 3)) await client.cut();
    // By turns, so not in their order.
    const got = await takeAll(clients[3] as RawClient);
    expect(got.toSorted((one, other) => Number(one) - Number(other))).toEqual(numbers(15));
    await clients[3]?.cut();
    expect(fixture.broker.metrics()).toMatchObject({ droppedSessionEnded: 0 });
    await fixture.stop();
  });

  test("waits for a member that is away when no other one is connected", async () => {
    const fixture = await startBroker();
    const away = await member(fixture, "away", 100);
    await away.cut();
    const here = await member(fixture, "here");
    for (const number of numbers(15)) fixture.broker.publish("work/a", number, { qos: 1 });
    await fixture.clock.settle();
    await here.cut();
    const back = fixture.open(5);
    await back.connect({ clientId: "away", cleanStart: false });
    expect(await takeAll(back)).toEqual(numbers(15));
    await fixture.stop();
  });

  test("goes to the group that it came by, and messages of its own subscriptions go to nobody", async () => {
    const fixture = await startBroker();
    const leaving = await member(fixture, "leaving", 0, "$share/one/work/#");
    await leaving.subscribe(["$share/two/work/#", "work/own", "own"], { qos: 1 });
    fixture.broker.publish("work/a", "for both groups", { qos: 1 });
    fixture.broker.publish("work/own", "for both and itself", { qos: 1 });
    fixture.broker.publish("own", "for itself", { qos: 1 });
    // It leaves one of the groups: what it was chosen for there is still that group's.
    await fixture.clock.settle();
    leaving.send({ type: "unsubscribe", packetId: 9, topicFilters: ["$share/two/work/#"] });
    const one = await member(fixture, "one", 0, "$share/one/work/#");
    const two = await member(fixture, "two", 0, "$share/two/work/#");
    await leaving.cut();
    expect(await takeAll(one)).toEqual(["for both groups", "for both and itself"]);
    expect(await takeAll(two)).toEqual(["for both groups", "for both and itself"]);
    // Those of a session that ends with its connection are not even kept.
    expect(fixture.broker.metrics()["droppedSessionEnded"]).toBe(0);
    await fixture.stop();
  });

  test("expires like any message, and access rules hold for whoever gets it then", async () => {
    const fixture = await startBroker({
      hooks: { authorize: ({ clientId }, action, topic) => action !== "receive" || topic !== `work/not-${clientId}` },
    });
    const leaving = await member(fixture, "leaving", 5);
    fixture.broker.publish("work/a", "short", { qos: 1, properties: { messageExpiryInterval: 2 } });
    fixture.broker.publish("work/not-other", "secret", { qos: 1 });
    fixture.broker.publish("work/a", "long", { qos: 1, properties: { messageExpiryInterval: 60 } });
    await fixture.clock.settle();
    await leaving.cut();
    const other = await member(fixture, "other");
    await fixture.clock.advance(5_000);
    expect(await takeAll(other)).toEqual(["long"]);
    expect(fixture.broker.metrics()).toMatchObject({ droppedExpired: 1, droppedNotAuthorized: 1 });
    await fixture.stop();
  });

  test("also when a plugin has not yet said whether the member may have it", async () => {
    let answer: (allowed: boolean) => void = () => {};
    const fixture = await startBroker({
      hooks: {
        authorize: ({ clientId }, action) =>
          action === "receive" && clientId === "leaving"
            ? new Promise<boolean>((resolve) => {
                answer = resolve;
              })
            : true,
      },
    });
    const leaving = await member(fixture, "leaving");
    fixture.broker.publish("work/a", "slow", { qos: 1 });
    await fixture.clock.settle();
    const other = await member(fixture, "other");
    await leaving.cut();
    answer(true);
    expect(await takeAll(other)).toEqual(["slow"]);
    await fixture.stop();
  });

  test("after a restart too, however much of it lies in the store alone; nothing of it is left there", async () => {
    const store = new MemoryStore();
    const first = await startBroker({ store });
    const leaving = await member(first, "leaving", 10);
    await leaving.subscribe("work/own", { qos: 1 });
    for (const number of numbers(2_500)) first.broker.publish("work/a", number, { qos: 1 });
    first.broker.publish("work/own", "its own, and in the group", { qos: 1 });
    await first.clock.settle();
    await leaving.cut();
    // The first broker dies: the second one finds what it has left.
    const second = await startBroker({ store });
    const other = await member(second, "other");
    await second.clock.advance(11_000);
    const got = await takeAll(other);
    expect(got.filter((payload) => !payload.startsWith("its own"))).toEqual(numbers(2_500));
    expect([...store.sessions()].map(({ record }) => record.clientId)).not.toContain("leaving");
    for (const fixture of [second, first]) await fixture.stop();
  });

  test("at another broker of a cluster", async () => {
    const cluster = await startCluster(2);
    const ids = [clientIdAt(0, 2, "leaving"), clientIdAt(1, 2, "staying")] as const;
    const leaving = await cluster.connect(0, { clientId: ids[0], properties: { receiveMaximum: 10 } });
    await leaving.subscribe(WORK, { qos: 2 });
    for (const number of numbers(15)) cluster.brokers[0]?.publish("work/a", number, { qos: 1, retain: true });
    await cluster.clock.settle();
    const staying = await cluster.connect(1, { clientId: ids[1] });
    await staying.subscribe(WORK, { qos: 2 });
    await leaving.cut();
    expect(await takeAll(staying)).toEqual(numbers(15));
    await cluster.stop();
  });
});
