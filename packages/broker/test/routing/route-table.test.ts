import type { Peer } from "@wrenmq/cluster";
import { encodeUtf8, type QoS } from "@wrenmq/codec";
import { Session, type SessionEvents, type SubscriptionRecord, Topic, TopicTable } from "@wrenmq/protocol";
import { parseShared, topicMatches } from "@wrenmq/topics";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MessageWatch } from "../../src/routing/message-watch.ts";
import type { Recipient } from "../../src/routing/recipient.ts";
import type { Route } from "../../src/routing/route.ts";
import { RouteTable } from "../../src/routing/route-table.ts";
import { SessionEntry } from "../../src/sessions/session-entry.ts";

const record: SubscriptionRecord = {
  qos: 0,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
  subscriptionIdentifier: undefined,
};

function newEntry(clientId: string): SessionEntry {
  const limits = { maxQueuedMessages: 0, maxQueuedBytes: 0, overflow: "drop-new", backpressureTimeout: 0 } as const;
  const session = new Session({
    clientId,
    limits,
    events: {} as SessionEvents,
  });
  return new SessionEntry(session, { clientId } as SessionEntry["client"]);
}

/** A topic as it arrives: borrowed. */
function lent(name: string): Topic {
  const bytes = encodeUtf8(name);
  return new Topic(bytes, 0, bytes.length, false);
}

function kept(name: string): Topic {
  const topic = lent(name);
  topic.keep();
  return topic;
}

/** All that can be known of how somebody is sent messages. */
function how(recipient: Recipient | null | undefined): unknown {
  if (recipient === null || recipient === undefined) return recipient;
  const ways = ([0, 1, 2] as QoS[])
    .flatMap((qos) => [recipient.options(qos, false), recipient.options(qos, true)])
    .map(
      // Identifiers may be in any order.
      ({ subscriptionIdentifiers: given, ...rest }) => ({
        ...rest,
        subscriptionIdentifiers: given && [...given].sort(),
      }),
    );
  return [recipient.entry.session.clientId, ways, how(recipient.noLocalView)];
}

function sorted(values: unknown[]): string[] {
  return values.map((value) => JSON.stringify(value)).sort();
}

function told({ recipients, groups, peers }: Route): unknown {
  return {
    recipients: sorted(recipients.map(how)),
    groups: groups.map(({ filter }) => filter).sort(),
    peers: (peers ?? []).map(({ id }) => id).sort(),
  };
}

describe("a route is that of the subscriptions there are", () => {
  const filters = [
    "a",
    "a/b",
    "a/+",
    "+/b",
    "#",
    "a/#",
    "a/b/#",
    "$SYS/#",
    "+",
    "c",
    "a/b/c",
    "$share/g/a/b",
    "$share/g/+/b",
    "$share/h/a/b",
  ];
  const names = ["a", "a/b", "a/c", "c", "a/b/c", "b/b", "$SYS/a"];
  const anyRecord = fc.record({
    qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constant(0 as const),
    subscriptionIdentifier: fc.constantFrom(undefined, 1, 2, 3),
  });
  const filter = fc.constantFrom(...filters);
  const who = fc.nat(5);
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("add" as const), who, filter, record: anyRecord }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("remove" as const), who, filter }) },
    fc.record({ do: fc.constant("end" as const), who }),
    fc.record({ do: fc.constant("step" as const) }),
    fc.record({ do: fc.constant("peer" as const), who: fc.nat(1), filter, isThere: fc.boolean() }),
    fc.record({ do: fc.constant("check" as const), checks: fc.boolean() }),
  );

  /** Nothing is remembered, nothing is shared: the plain twin. */
  class Model {
    readonly subscriptions: Map<SessionEntry, Map<string, SubscriptionRecord>> = new Map();
    readonly peers: Map<Peer, Set<string>> = new Map();

    route(topic: string): unknown {
      const matches = (given: string): boolean => {
        const shared = parseShared(given);
        return shared === undefined && topicMatches(given, topic);
      };
      const recipients: unknown[] = [];
      const groups = new Set<string>();
      for (const [entry, own] of this.subscriptions) {
        const records = [...own].filter(([given]) => matches(given)).map(([, one]) => one);
        if (records.length > 0) recipients.push(merged(entry.session.clientId, records));
        for (const given of own.keys()) {
          const shared = parseShared(given);
          if (shared !== undefined && shared !== "invalid" && topicMatches(shared.filter, topic)) groups.add(given);
        }
      }
      const peers = [...this.peers].filter(([, wanted]) => [...wanted].some(matches)).map(([{ id }]) => id);
      return { recipients: sorted(recipients), groups: [...groups].sort(), peers: peers.sort() };
    }
  }

  function merged(clientId: string, records: SubscriptionRecord[]): unknown {
    const granted = Math.max(...records.map(({ qos }) => qos));
    const asPublished = records.some(({ retainAsPublished }) => retainAsPublished);
    const identifiers = records.flatMap(({ subscriptionIdentifier }) => subscriptionIdentifier ?? []).sort();
    const subscriptionIdentifiers = identifiers.length > 0 ? identifiers : undefined;
    const ways = [0, 1, 2].flatMap((qos) =>
      [false, true].map((retain) => ({
        qos: Math.min(qos, granted),
        retain: retain && asPublished,
        subscriptionIdentifiers,
      })),
    );
    const others = records.filter(({ noLocal }) => !noLocal);
    const own = others.length === records.length ? undefined : others.length === 0 ? null : merged(clientId, others);
    return [clientId, ways, own];
  }

  test("whatever was subscribed and unsubscribed before, for topics that are kept and others that are not", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const table = new RouteTable("round-robin");
        const model = new Model();
        const entries = Array.from({ length: 6 }, (_, index) => newEntry(`c${index}`));
        const peers = [1, 2].map((id) => ({ id }) as unknown as Peer);
        const topics = names.map(kept);
        const leaving: Iterator<void>[] = [];
        for (const one of steps) {
          if (one.do === "add") {
            const entry = entries[one.who] as SessionEntry;
            table.add(entry, one.filter, one.record);
            entry.session.setSubscription(one.filter, one.record);
            const own = model.subscriptions.get(entry) ?? new Map<string, SubscriptionRecord>();
            model.subscriptions.set(entry, own.set(one.filter, one.record));
          } else if (one.do === "remove") {
            const entry = entries[one.who] as SessionEntry;
            table.remove(entry, one.filter);
            entry.session.deleteSubscription(one.filter);
            model.subscriptions.get(entry)?.delete(one.filter);
          } else if (one.do === "end") {
            const entry = entries[one.who] as SessionEntry;
            // One of them has so many that they are taken out later.
            if (one.who === 0)
              for (let more = 0; more < 70; more++) {
                table.add(entry, `many/${more}`, record);
                entry.session.setSubscription(`many/${more}`, record);
              }
            entry.ended = true;
            const rest = table.removeAll(entry);
            if (rest !== undefined) leaving.push(rest);
            model.subscriptions.delete(entry);
            entries[one.who] = newEntry(`c${one.who}`);
          } else if (one.do === "step") {
            for (const rest of leaving) rest.next();
          } else if (one.do === "peer") {
            if (one.filter.startsWith("$share/")) continue;
            const peer = peers[one.who] as Peer;
            const wanted = model.peers.get(peer) ?? new Set<string>();
            model.peers.set(peer, wanted);
            if (one.isThere) {
              table.addPeer(peer, one.filter);
              wanted.add(one.filter);
            } else {
              table.removePeer(peer, one.filter);
              wanted.delete(one.filter);
            }
          } else {
            table.checksTopics = one.checks;
          }
          for (const topic of [...topics, ...names.map(lent)]) {
            const route = table.find(topic);
            expect(told(route)).toEqual(model.route(topic.name));
            expect(told(table.find(topic))).toEqual(told(route));
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

test("topics that match the same filters share a route, until one of those gets or loses a subscriber", () => {
  const table = new RouteTable("round-robin");
  const [first, second, third] = [newEntry("1"), newEntry("2"), newEntry("3")];
  table.add(first, "site/1/#", record);
  table.add(second, "site/+/state", record);
  const route = (name: string): Route => table.find(lent(name));
  const [one, both] = [route("site/1/line"), route("site/1/state")];
  expect([one.recipients.length, both.recipients.length]).toEqual([1, 2]);
  expect([route("site/1/other"), route("site/1/state")]).toEqual([one, both]);
  expect(route("site/1/other")).toBe(one);
  // Others come and go.
  table.add(third, "elsewhere/#", record);
  table.add(third, "site/2/#", record);
  table.remove(third, "elsewhere/#");
  expect([route("site/1/x") === one, route("site/1/state") === both]).toEqual([true, true]);
  table.add(third, "site/1/#", record);
  expect(route("site/1/x").recipients).toHaveLength(2);
  expect(route("site/1/state").recipients).toHaveLength(3);
  table.remove(third, "site/1/#");
  expect(route("site/1/state").recipients).toHaveLength(2);
});

test("the access rules' verdicts are those of one topic, and outlast changes that do not concern it", () => {
  const table = new RouteTable("round-robin");
  table.checksTopics = true;
  const entry = newEntry("c");
  table.add(entry, "a/#", record);
  const [one, other] = [kept("a/1"), kept("a/2")];
  const recipient = (topic: Topic): Recipient => table.find(topic).recipients[0] as Recipient;
  recipient(one).cacheVerdict(true, entry.client, 1);
  expect([recipient(one).verdict(1), recipient(other).verdict(1)]).toEqual([true, undefined]);
  recipient(other).cacheVerdict(false, entry.client, 1);
  table.add(newEntry("d"), "b/#", record);
  expect([recipient(one).verdict(1), recipient(other).verdict(1)]).toEqual([true, false]);
  table.add(newEntry("e"), "a/#", record);
  expect([recipient(one).verdict(1), recipient(other).verdict(1)]).toEqual([undefined, undefined]);
  expect(table.find(lent("a/1")).recipients.map((found) => found.verdict(1))).toEqual([undefined, undefined]);
});

test("a large route is in the cache only, so that topics do not hold on to many of them", () => {
  const topics = new TopicTable();
  const table = new RouteTable("round-robin");
  for (let number = 0; number < 1_500; number++) table.add(newEntry(String(number)), "a/+", record);
  const topic = topics.find("a/b") as Topic;
  expect(table.find(topic)).toBe(table.find(topic));
  expect(table.find(topic).recipients).toHaveLength(1_500);
  expect(topic.route).toBeUndefined();
});

test("who watches messages is in the routes of the topics that match, and nowhere else", () => {
  const routes = new RouteTable("round-robin");
  const topics = [kept("a/1"), kept("a/2"), kept("b"), kept("$SYS/x")];
  const watchesOf = (): (number | undefined)[] => topics.map((topic) => routes.find(topic).watches?.length);
  routes.add(newEntry("c"), "a/+", record);
  const [one, two] = [new MessageWatch(() => {}), new MessageWatch(() => {})];
  routes.addWatch(one, "a/+");
  routes.addWatch(two, "#");
  expect(watchesOf()).toEqual([2, 2, 1, undefined]);
  expect([routes.size, routes.find(topics[0] as Topic).recipients.length]).toEqual([1, 1]);
  routes.checksTopics = true; // each topic has a route of its own
  expect(watchesOf()).toEqual([2, 2, 1, undefined]);
  routes.removeWatch(two, "#");
  routes.removeWatch(one, "a/+");
  expect(watchesOf()).toEqual([undefined, undefined, undefined, undefined]);
});
