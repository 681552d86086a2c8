// Commands about sessions, connected or not, and their subscriptions.
import type { Operations, SessionView } from "@wrenmq/broker";
import { parseShared, topicMatches } from "@wrenmq/topics";
import { z } from "zod";
import { defineCommand } from "../define-command.ts";
import { pageOf } from "../pages.ts";
import { clientDetails, detailsOf, secondsSince, unknown } from "./clients.ts";
import { defineList } from "./define-list.ts";
import { clientFilter, clientId, dateOf, lasting, paging, secondsOf, topicName } from "./fields.ts";
import { candidates, matcherOf, SORTS } from "./select-sessions.ts";

const sessionSummary = z.object({
  clientId: z.string(),
  username: z.string().optional(),
  connected: z.boolean(),
  disconnectedAt: z.string().optional().describe("ISO 8601"),
  expiryInterval: lasting,
  subscriptions: z.int(),
  queued: z.int(),
  queuedBytes: z.int(),
  oldestSeconds: z.number().optional().describe("how long the oldest message has waited"),
  inflight: z.int(),
  dropped: z.int(),
});

function summaryOf(view: SessionView, now: number): z.input<typeof sessionSummary> {
  return {
    clientId: view.clientId,
    username: view.username,
    connected: view.connected,
    disconnectedAt: view.disconnectedAt === undefined ? undefined : dateOf(view.disconnectedAt),
    expiryInterval: secondsOf(view.expiryInterval),
    subscriptions: view.subscriptions.size,
    queued: view.queued,
    queuedBytes: view.queuedBytes,
    oldestSeconds: secondsSince(view.oldestSince, now),
    inflight: view.inflight,
    dropped: view.dropped,
  };
}

export const sessionsList = defineList({
  name: "sessions.list",
  summary: "List sessions, those without a connection among them.",
  kind: "read",
  input: z.strictObject({
    ...clientFilter,
    connected: z.boolean().optional().describe("only those that are, or are not"),
    minQueued: z.int().min(0).optional().describe("only those with so many messages waiting"),
    sort: z
      .enum(["clientId", "queued", "queuedBytes", "oldest", "inflight", "dropped", "subscriptions", "disconnectedAt"])
      .default("clientId")
      .describe("oldest: whose message has waited longest comes first; disconnectedAt: who has been away longest"),
    ...paging,
  }),
  item: sessionSummary,
  cli: { words: "sessions" },
  descending: ({ sort }) => !["clientId", "disconnectedAt", "oldest"].includes(sort),
  page({ broker, scans }, { sort, connected, minQueued = 0, ...filter }, order) {
    const matches = matcherOf(filter);
    const now = broker.operations.now();
    return pageOf(scans, {
      entries: candidates(broker.operations, filter),
      matches: (view) =>
        (connected === undefined || view.connected === connected) && view.queued >= minQueued && matches(view),
      key: SORTS[sort],
      identity: (view) => view.clientId,
      show: (view) => summaryOf(view, now),
      ...order,
    });
  },
});

export const sessionsGet = defineCommand({
  name: "sessions.get",
  summary: "Show one session, connected or not.",
  kind: "read",
  input: z.strictObject({ clientId }),
  output: clientDetails,
  cli: { words: "sessions get", arguments: ["clientId"] },
  scope: "home",
  home: (input) => input.clientId,
  run({ broker: { operations } }, { clientId: id }) {
    return detailsOf(operations.session(id) ?? unknown(id), operations.now());
  },
});

export const sessionsEnd = defineCommand({
  name: "sessions.end",
  summary: "End a session with all that waits in it, and its connection.",
  kind: "danger",
  input: z.strictObject({ clientId }),
  output: z.object({ ended: z.boolean(), lost: z.int().describe("messages that waited in it") }),
  cli: { words: "sessions end", arguments: ["clientId"] },
  scope: "home",
  home: (input) => input.clientId,
  run({ broker }, { clientId: id }) {
    const { queued } = broker.operations.session(id) ?? unknown(id);
    return { ended: broker.removeSession(id), lost: queued };
  },
});

const subscription = z.object({
  clientId: z.string(),
  filter: z.string().describe("as subscribed to: with $share/… for a shared one"),
  qos: z.int(),
  noLocal: z.boolean(),
  retainAsPublished: z.boolean(),
  connected: z.boolean(),
});

interface Subscribed {
  readonly view: SessionView;
  readonly filter: string;
  readonly record: { readonly qos: number; readonly noLocal: boolean; readonly retainAsPublished: boolean };
}

function* subscribed(views: Iterable<SessionView>): Iterable<Subscribed> {
  for (const view of views) {
    for (const [filter, record] of view.subscriptions) yield { view, filter, record };
  }
}

function entriesOf(operations: Operations, id: string | undefined): Iterable<Subscribed> {
  return subscribed(candidates(operations, { clientId: id }));
}

export const subscriptionsList = defineList({
  name: "subscriptions.list",
  summary: "List subscriptions: of a client, with a filter, or those that a topic matches.",
  kind: "read",
  input: z.strictObject({
    clientId: clientId.optional().describe("only those of this client"),
    filter: z.string().min(1).max(65_535).optional().describe("exactly this topic filter"),
    prefix: z.string().min(1).max(1_024).optional().describe("filters that begin so"),
    topic: topicName.optional().describe("filters that match this topic"),
    ...paging,
  }),
  item: subscription,
  cli: { words: "subscriptions" },
  descending: () => false,
  page({ broker, scans }, { clientId: id, filter, prefix, topic }, order) {
    return pageOf(scans, {
      entries: entriesOf(broker.operations, id),
      matches: (one) =>
        (filter === undefined || one.filter === filter) &&
        (prefix === undefined || one.filter.startsWith(prefix)) &&
        (topic === undefined || topicMatches(plainFilter(one.filter), topic)),
      key: (one) => one.filter,
      identity: (one) => one.view.clientId,
      show: ({ view, filter: own, record }) => ({
        clientId: view.clientId,
        filter: own,
        qos: record.qos,
        noLocal: record.noLocal,
        retainAsPublished: record.retainAsPublished,
        connected: view.connected,
      }),
      ...order,
    });
  },
});

function plainFilter(filter: string): string {
  const shared = parseShared(filter);
  return shared === undefined || shared === "invalid" ? filter : shared.filter;
}
