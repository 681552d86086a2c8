import { type SubscriptionRecord, TopicTable } from "@wrenmq/protocol";
import { expect, test } from "vitest";
import { RouteTable } from "../../src/routing/route-table.ts";
import type { SessionEntry } from "../../src/sessions/session-entry.ts";

const record: SubscriptionRecord = {
  qos: 0,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
  subscriptionIdentifier: undefined,
};

test("what a topic comes to is kept with it, unless one session's overlapping subscriptions make it large", () => {
  const topics = new TopicTable();
  const routes = new RouteTable(topics, "round-robin");
  const name = "a/a/a/a/a/a/a/a/a/a/a";
  const subscribe = (entry: SessionEntry, bits: number) =>
    routes.add(entry, Array.from({ length: 11 }, (_, level) => ((bits >> level) & 1 ? "+" : "a")).join("/"), record);
  const sessions = Array.from({ length: 1_500 }, () => ({}) as SessionEntry);
  for (const session of sessions) subscribe(session, 0);
  const topic = topics.find(name);
  if (topic === undefined) throw new Error("no topic");
  expect(routes.find(topic)).toBe(routes.find(topic));
  expect(routes.find(topic).recipients).toHaveLength(1_500);
  const greedy = {} as SessionEntry;
  for (let bits = 0; bits < 1_500; bits++) subscribe(greedy, bits);
  expect(routes.find(topic).recipients).toHaveLength(1_501);
  expect(topic.route).toBeUndefined();
});
