import { Session, type SubscriptionRecord, type Topic, TopicTable } from "@wrenmq/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Broker } from "../../src/index.ts";
import { RouteTable } from "../../src/routing/route-table.ts";
import { BackgroundTasks } from "../../src/runtime/background-tasks.ts";
import { absentClient } from "../../src/sessions/absent-client.ts";
import { SessionEntry } from "../../src/sessions/session-entry.ts";
import { clientIdAt, startCluster } from "../clustering/cluster-fixture.ts";
import { type BrokerFixture, inTurns, type RawClient, SimClock, startBroker, text } from "../support.ts";

/** More subscriptions than are dealt with in so many turns. */
const MANY = 5_000;
const TURNS = 3;
const record: SubscriptionRecord = {
  qos: 0,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
  subscriptionIdentifier: undefined,
};

function* steps(count: number, done: () => void): Iterator<void> {
  for (let left = count; left > 0; left--) {
    done();
    yield;
  }
}

describe("work that takes long", () => {
  test("is done in many turns, what is short does not wait for it, what fails ends alone", () => {
    const clock = new SimClock();
    const errors: unknown[] = [];
    const work = new BackgroundTasks(clock, (error) => errors.push(error));
    const done = { long: 0, short: 0 };
    work.add(steps(10_000, () => done.long++));
    work.add(steps(3, () => done.short++));
    work.add(
      steps(1, () => {
        throw new Error("a defect");
      }),
    );
    const turns: (readonly [long: number, short: number])[] = [];
    inTurns(clock, 2, () => turns.push([done.long, done.short]));
    clock.run();
    expect(turns).toEqual([
      [0, 0],
      [1_024, 0],
      [2_045, 3],
    ]);
    expect(done).toEqual({ long: 10_000, short: 3 });
    expect(errors).toEqual([new Error("a defect")]);
    work.add(steps(2_000, () => done.short++));
    work.clear();
    clock.run();
    expect(done.short).toBe(3);
  });
});

describe("a session with many subscriptions ends", () => {
  const lasting = { sessionExpiryInterval: 60 };
  const filters = Array.from({ length: MANY }, (_, number) => {
    const topic = `fleet/${number}`;
    return [topic, `+/${number}`, `$share/g/${topic}`][number % 3] as string;
  });
  /** Of the last ones, each matched by a filter of another kind. */
  const topics = [MANY - 1, MANY - 2, MANY - 3].map((number) => `fleet/${number}`);
  const nothingDropped = { droppedSessionEnded: 0, droppedOffline: 0, droppedQueueFull: 0 };
  let fixture: BrokerFixture;
  let client: RawClient;
  const publishAll = (payload: string): boolean[] =>
    topics.map((topic) => fixture.broker.publish(topic, payload, { qos: 1 }));

  beforeEach(async () => {
    fixture = await startBroker();
    client = await fixture.connect(5, { clientId: "c", properties: lasting });
    for (let at = 0; at < MANY; at += 1_000) await client.subscribe(filters.slice(at, at + 1_000), { qos: 1 });
    // Its subscriptions are in routes now.
    expect(publishAll("1")).toEqual([true, true, true]);
    for (const topic of topics) await client.take(topic, "1", { qos: 1 });
    await fixture.clock.settle();
  });
  afterEach(() => fixture.stop());

  test("and nothing is for it any more, while its subscriptions go turn by turn", async () => {
    const { broker, clock } = fixture;
    await client.cut();
    expect(clock.idle).toBe(true);
    broker.removeSession("c");
    expect(clock.idle).toBe(false);
    expect(broker.metrics()).toMatchObject({ subscriptions: 0, clientsTotal: 0 });
    const wanted: boolean[] = [];
    inTurns(clock, TURNS, () => wanted.push(...publishAll("2")));
    await clock.settle();
    expect(wanted).toEqual(Array.from({ length: (TURNS + 1) * topics.length }, () => false));
    expect(broker.metrics()).toMatchObject({ ...nothingDropped, queued: 0 });
  });

  test("and another member gets what is for a group of which it was one", async () => {
    const { broker, clock } = fixture;
    const other = await fixture.connect(5, { clientId: "other", properties: lasting });
    await other.subscribe(filters[MANY - 3] as string, { qos: 1 });
    // Members that are connected come first: here is none.
    for (const each of [client, other]) await each.cut();
    broker.removeSession("c");
    const wanted: boolean[] = [];
    inTurns(clock, TURNS, () => wanted.push(...publishAll("2")));
    await clock.settle();
    expect(wanted).toEqual(Array.from({ length: (TURNS + 1) * topics.length }, (_, index) => index % 3 === 2));
    expect(broker.session("other")?.queued).toBe(TURNS + 1);
  });

  test.each(["expires", "is begun anew"])(
    "as it %s: the next one of that client has what it subscribes to",
    async (how) => {
      const { broker, clock } = fixture;
      let next: RawClient | undefined;
      const enter = (cleanStart: boolean): void => {
        next = fixture.open(5);
        const options = { noLocal: false, retainAsPublished: false, retainHandling: 0, qos: 1 } as const;
        const subscriptions = [{ topicFilter: topics[0] as string, ...options }];
        next.send(next.connectPacket({ clientId: "c", cleanStart, properties: lasting }), {
          type: "subscribe",
          packetId: 1,
          subscriptions,
        });
      };
      broker.on("sessionEnded", () => {
        if (how === "expires") enter(false);
        inTurns(clock, TURNS, (turn) => void publishAll(`turn ${turn}`));
      });
      if (how === "expires") await client.cut();
      else enter(true);
      await clock.advance(60_000);
      const got = ((await next?.rest()) ?? []).flatMap((packet) => (packet.type === "publish" ? [packet] : []));
      expect(got.map(({ payload }) => text(payload)).slice(-TURNS + 1)).toEqual(["turn 2", "turn 3"]);
      expect(new Set(got.map(({ topic }) => topic))).toEqual(new Set([topics[0]]));
      expect(publishAll("last")).toEqual([true, false, false]);
      expect(broker.metrics()).toMatchObject({ ...nothingDropped, subscriptions: 1, clientsTotal: 1 });
    },
  );
});

test("a session that has ended is in no route at once, in the tree until it is taken out step by step", () => {
  const topics = new TopicTable();
  const routes = new RouteTable("round-robin");
  const removed: string[] = [];
  routes.watcher = { added() {}, removed: (_entry, filter) => void removed.push(filter) };
  const subscribe = (count: number): SessionEntry => {
    const limits = { maxQueuedMessages: 0, maxQueuedBytes: 0, overflow: "drop-new", backpressureTimeout: 0 } as const;
    const events = {
      dropped() {},
      delivered: undefined,
      acknowledged: undefined,
      congested() {},
      caughtUp() {},
      mayReceive: () => true,
    };
    const session = new Session({ clientId: "c", limits, events });
    const entry = new SessionEntry(session, absentClient("c"));
    for (let number = 0; number < count; number++) {
      routes.add(entry, `t/${number}`, record);
      session.setSubscription(`t/${number}`, record);
    }
    return entry;
  };
  const few = subscribe(3);
  few.ended = true;
  expect(routes.removeAll(few)).toBeUndefined();
  expect(removed).toEqual(["t/0", "t/1", "t/2"]);
  removed.length = 0;
  const many = subscribe(100);
  const next = subscribe(1);
  const topic = topics.find("t/0") as Topic;
  expect(routes.find(topic).recipients).toHaveLength(2);
  many.ended = true;
  const rest = routes.removeAll(many);
  expect(routes.find(topic).recipients.map(({ entry }) => entry)).toEqual([next]);
  expect([routes.size, removed]).toEqual([1, []]);
  rest?.next();
  expect(removed).toEqual(["t/0"]);
  many.session.end();
  expect(many.session.subscriptions.size).toBe(0);
  while (rest?.next().done === false);
  expect([routes.size, removed.length]).toEqual([1, 100]);
});

test("subscriptions of too many sessions that have ended do not wait", () => {
  const routes = new RouteTable("round-robin");
  const subscriptions = new Map(Array.from({ length: 400_000 }, (_, number) => [String(number), record]));
  const end = () => routes.removeAll({ session: { subscriptions } } as unknown as SessionEntry);
  expect([end(), end(), end()].map((rest) => rest === undefined)).toEqual([false, false, true]);
});

test("a group whose member's session has ended leaves its messages to members elsewhere", async () => {
  const cluster = await startCluster(2);
  const [first, second] = cluster.brokers as [Broker, Broker];
  const shared = "$share/g/t";
  const gone = await cluster.connect(0, { clientId: clientIdAt(0, 2, "gone") });
  await gone.subscribe(Array.from({ length: MANY }, (_, number) => `filler/${number}`));
  await gone.subscribe(shared, { qos: 1 });
  const stays = await cluster.connect(1);
  await stays.subscribe(shared, { qos: 1 });
  const publisher = await cluster.connect(1);
  const expected: string[] = [];
  const send = (broker: Broker, payload: string): void => {
    broker.publish("t", payload, { qos: 1 });
    expected.push(payload);
  };
  first.removeSession(clientIdAt(0, 2, "gone"));
  inTurns(cluster.clock, TURNS, (turn) => {
    for (const each of ["a", "b"]) {
      send(first, `from the first ${turn} ${each}`);
      send(second, `from the second ${turn} ${each}`);
    }
  });
  await cluster.clock.settle();
  expect((await stays.messages()).sort()).toEqual(expected.sort());
  expect(await publisher.publish("t", "last", { qos: 1 })).toBe(0);
  await cluster.stop();
});
