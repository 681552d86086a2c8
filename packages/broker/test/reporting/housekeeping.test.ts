import { TopicTable } from "@wrenmq/protocol";
import { MemoryStore } from "@wrenmq/store";
import { describe, expect, test } from "vitest";
import { RetainedReplica } from "../../src/clustering/retained-replica.ts";
import { DEFAULT_LIMITS } from "../../src/index.ts";
import { RetainedMessages } from "../../src/routing/retained-messages.ts";
import { type BrokerFixture, inTurns, startBroker } from "../support.ts";

/** More messages than are swept in a few turns. */
const MANY = 5_000;

describe("retained messages expire by the thousand", () => {
  const properties = { messageExpiryInterval: 30 };
  /** Begins when messages are swept: at the same time a session expires. */
  async function sweep({ broker, clock }: BrokerFixture, callback: (turn: number) => void): Promise<void> {
    broker.on("sessionEnded", ({ clientId }) => {
      if (clientId === "expires") inTurns(clock, 6, callback);
    });
    await clock.advance(60_000);
  }
  async function start(store = new MemoryStore()): Promise<BrokerFixture> {
    const fixture = await startBroker({ store, session: { defaultExpiry: 60 } });
    fixture.broker.subscribe("expires", "t");
    return fixture;
  }

  test("and are forgotten in many turns, shown and sent to nobody meanwhile", async () => {
    const store = new MemoryStore();
    const fixture = await start(store);
    const { broker } = fixture;
    for (let number = 0; number < MANY; number++) broker.retain(`a/${number % 7}/${number}`, "x", { properties });
    broker.retain("b", "stays");
    const left: (number | undefined)[] = [];
    const shown: string[] = [];
    await sweep(fixture, () => {
      left.push(broker.metrics()["retained"]);
      shown.push(...[...broker.retained("#")].map(({ topic }) => topic));
    });
    expect(left[0]).toBe(MANY + 1);
    expect(left.at(-1)).toBe(1);
    for (const [turn, count] of left.entries()) expect((left[turn - 1] ?? MANY + 1) - (count ?? 0)).toBeLessThan(1_100);
    expect(new Set(shown)).toEqual(new Set(["b"]));
    expect([...store.retained()].map(({ topic }) => topic)).toEqual(["b"]);
    broker.retain("c", "next time", { properties });
    await fixture.clock.advance(60_000);
    expect(broker.metrics()["retained"]).toBe(1);
    await fixture.stop();
  });

  test("a subscriber that comes in the middle gets none, one that is set again stays", async () => {
    const fixture = await start();
    const { broker } = fixture;
    for (let number = 0; number < MANY; number++) broker.retain(`a/${number}`, "x", { properties });
    const client = await fixture.connect(5);
    const options = { noLocal: false, retainAsPublished: false, retainHandling: 0, qos: 1 } as const;
    await sweep(fixture, (turn) => {
      if (turn === 1) broker.retain(`a/${MANY - 1}`, "new");
      if (turn === 2) {
        client.send({ type: "subscribe", packetId: 1, subscriptions: [{ topicFilter: "#", ...options }] });
      }
    });
    expect(await client.messages()).toEqual(["new"]);
    await fixture.clock.advance(120_000);
    expect(broker.metrics()["retained"]).toBe(1);
    await fixture.stop();
  });
});

test("clearings that all brokers know of are forgotten step by step", () => {
  const replica = new RetainedReplica(new RetainedMessages(() => DEFAULT_LIMITS), 0);
  const topics = new TopicTable();
  const known = (): number => [...replica.facts(topics, () => true)].length;
  for (const topic of ["a", "b", "c"]) replica.changed(topic, replica.stamp(0), false, 0);
  for (const _ of replica.sweep(60_000, false));
  expect(known()).toBe(3);
  const sweep = replica.sweep(60_000, true);
  sweep.next();
  expect(known()).toBe(2);
  for (const _ of sweep);
  expect(known()).toBe(0);
});
