// Commands about connected clients: what they are, what is queued for them, what they have lost; and to disconnect
// them.
import type { SessionView } from "@wrenmq/broker";
import { ReasonCode } from "@wrenmq/codec";
import { z } from "zod";
import { AdminError } from "../admin-error.ts";
import { defineClusterCommand, defineCommand } from "../define-command.ts";
import { pageOf } from "../pages.ts";
import { SCAN_PATIENCE, SlicedScan } from "../scan.ts";
import { defineList } from "./define-list.ts";
import { clientFilter, clientId, dateOf, dryRun, lasting, paging, sampleMs, secondsOf } from "./fields.ts";
import { sumOf } from "./merging.ts";
import { candidates, matcherOf, SORTS } from "./select-sessions.ts";

const PROTOCOLS: Readonly<Record<number, string>> = { 3: "3.1", 4: "3.1.1", 5: "5" };
/** Messages in flight, and subscriptions, that are listed one by one. */
const MOST_SHOWN = 100;

export const clientSummary = z.object({
  clientId: z.string(),
  username: z.string().optional(),
  protocol: z.string().describe("3.1, 3.1.1 or 5"),
  listener: z.string(),
  address: z.string(),
  port: z.int().optional(),
  secure: z.boolean().describe("does TLS protect the connection?"),
  connectedAt: z.string().describe("ISO 8601"),
  subscriptions: z.int(),
  queued: z.int().describe("messages that wait"),
  queuedBytes: z.int(),
  inflight: z.int().describe("messages sent and not acknowledged"),
  dropped: z.int().describe("messages that did not reach it, or that it may not send"),
});

/**
 * @param since epoch seconds
 * @param now epoch milliseconds
 */
export function secondsSince(since: number | undefined, now: number): number | undefined {
  return since === undefined ? undefined : Math.max(0, now / 1000 - since);
}

export function summaryOf(view: SessionView): z.input<typeof clientSummary> {
  const { client } = view;
  return {
    clientId: view.clientId,
    username: view.username,
    protocol: PROTOCOLS[client.protocolVersion] ?? String(client.protocolVersion),
    listener: client.listener,
    address: client.remoteAddress,
    port: client.remotePort,
    secure: client.secure,
    connectedAt: dateOf(client.connectedAt),
    subscriptions: view.subscriptions.size,
    queued: view.queued,
    queuedBytes: view.queuedBytes,
    inflight: view.inflight,
    dropped: view.dropped,
  };
}

export const clientsList = defineList({
  name: "clients.list",
  summary: "List the clients that are connected.",
  kind: "read",
  input: z.strictObject({
    ...clientFilter,
    sort: z
      .enum(["clientId", "queued", "queuedBytes", "inflight", "dropped", "subscriptions", "connectedAt"])
      .default("clientId"),
    ...paging,
  }),
  item: clientSummary,
  cli: { words: "clients" },
  descending: ({ sort }) => sort !== "clientId",
  page({ broker, scans }, { sort, ...filter }, order) {
    const matches = matcherOf(filter);
    return pageOf(scans, {
      entries: candidates(broker.operations, filter),
      matches: (view) => view.connected && matches(view),
      key: SORTS[sort],
      identity: (view) => view.clientId,
      show: summaryOf,
      ...order,
    });
  },
});

const rates = z.object({
  bytesReceivedPerSecond: z.number(),
  bytesSentPerSecond: z.number(),
});

export const clientDetails = clientSummary.partial().extend({
  clientId: z.string(),
  connected: z.boolean(),
  disconnectedAt: z.string().optional(),
  expiryInterval: lasting.describe("seconds that the session outlives its connection; null: for ever"),
  cleanStart: z.boolean(),
  keepAlive: z.int().describe("seconds; 0: none"),
  hasWill: z.boolean(),
  stored: z.boolean().describe("is the session on the disk?"),
  congested: z.boolean().describe("its queue is at the bound"),
  userProperties: z.array(z.tuple([z.string(), z.string()])),
  queue: z.object({
    messages: z.int(),
    bytes: z.int().describe("of those in memory"),
    qos1: z.int(),
    qos2: z.int(),
    oldestSeconds: z.number().optional().describe("how long the oldest has waited"),
  }),
  inflightIn: z.int().describe("QoS 2 messages of the client whose PUBREL has not come"),
  inflightMessages: z.array(z.object({ packetId: z.int(), awaits: z.string(), topic: z.string().optional() })),
  subscriptionList: z.array(z.object({ filter: z.string(), qos: z.int() })).describe("the first 100"),
  droppedByReason: z.record(z.string(), z.int()),
  lastDrops: z.array(z.object({ at: z.string(), topic: z.string(), reason: z.string(), side: z.string() })),
  connection: z
    .object({
      transport: z.string(),
      bytesReceived: z.int(),
      bytesSent: z.int(),
      backlog: z.int().describe("bytes that the client has not taken"),
      blocked: z.boolean(),
      tls: z
        .object({
          protocol: z.string(),
          serverName: z.string().optional(),
          authorized: z.boolean().describe("its certificate was asked for, given and accepted"),
          certificate: z
            .object({ subject: z.string(), fingerprint256: z.string(), serialNumber: z.string() })
            .optional(),
        })
        .optional(),
      receiveMaximum: z.int().optional(),
      maximumPacketSize: z.int().optional(),
      rates: rates.optional(),
    })
    .optional()
    .describe("absent: it is not connected"),
});

export function detailsOf(view: SessionView, now: number): z.input<typeof clientDetails> {
  const { client } = view;
  const { oldestSince, ...queue } = view.queue();
  const connection = view.connection();
  const { protocolVersion: _version, ...known } = client;
  const isKnown = known.connectedAt > 0;
  return {
    ...(isKnown
      ? summaryOf(view)
      : {
          username: view.username,
          subscriptions: view.subscriptions.size,
          queued: view.queued,
          dropped: view.dropped,
        }),
    clientId: view.clientId,
    connected: view.connected,
    disconnectedAt: view.disconnectedAt === undefined ? undefined : dateOf(view.disconnectedAt),
    expiryInterval: secondsOf(view.expiryInterval),
    cleanStart: client.cleanStart,
    keepAlive: client.keepAlive,
    hasWill: view.hasWill,
    stored: view.stored,
    congested: view.congested,
    userProperties: client.userProperties.map(([name, value]): [string, string] => [name, value]),
    queue: { ...queue, oldestSeconds: secondsSince(oldestSince, now) },
    inflightIn: view.inflightIn,
    inflightMessages: view.inflightMessages(MOST_SHOWN),
    subscriptionList: [...view.subscriptions].slice(0, MOST_SHOWN).map(([filter, { qos }]) => ({ filter, qos })),
    droppedByReason: view.droppedByReason,
    lastDrops: view.lastDrops.map(({ at, ...drop }) => ({ at: dateOf(at), ...drop })),
    connection: connection && {
      ...connection,
      tls: connection.tls && {
        protocol: connection.tls.protocol,
        serverName: connection.tls.servername,
        authorized: connection.tls.authorized,
        certificate: client.certificate && {
          subject: client.certificate.subject,
          fingerprint256: client.certificate.fingerprint256,
          serialNumber: client.certificate.serialNumber,
        },
      },
    },
  };
}

export const clientsGet = defineCommand({
  name: "clients.get",
  summary: "Show everything about one client: session, queue, in flight, losses, connection.",
  kind: "read",
  input: z.strictObject({ clientId, sampleMs }),
  output: clientDetails,
  cli: { words: "client", arguments: ["clientId"] },
  scope: "home",
  home: (input) => input.clientId,
  patience: ({ sampleMs: pause }) => pause,
  async run({ broker }, { clientId: id, sampleMs: pause }) {
    const { operations } = broker;
    const view = operations.session(id) ?? unknown(id);
    const before = view.connection();
    if (before !== undefined && pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    const details = detailsOf(view, operations.now());
    const after = details.connection;
    if (before === undefined || after === undefined || pause === 0) return details;
    const perSecond = (one: number, other: number): number => Math.max(0, ((other - one) * 1000) / pause);
    return {
      ...details,
      connection: {
        ...after,
        rates: {
          bytesReceivedPerSecond: perSecond(before.bytesReceived, after.bytesReceived),
          bytesSentPerSecond: perSecond(before.bytesSent, after.bytesSent),
        },
      },
    };
  },
});

export const clientsKick = defineCommand({
  name: "clients.kick",
  summary: "Close a client's connection; it may connect again.",
  kind: "write",
  input: z.strictObject({ clientId, reason: z.string().max(256).optional().describe("told to MQTT 5 clients") }),
  output: z.object({ disconnected: z.boolean() }),
  cli: { words: "kick", arguments: ["clientId"] },
  scope: "home",
  home: (input) => input.clientId,
  run({ broker }, { clientId: id, reason }) {
    if (!broker.disconnect(id, ReasonCode.AdministrativeAction, reason)) {
      throw new AdminError("not_found", `no client "${id}" is connected`, { field: "clientId" });
    }
    return { disconnected: true };
  },
});

export const clientsDisconnect = defineClusterCommand({
  name: "clients.disconnect",
  summary: "Close the connections of all clients that a filter means; at least one of its fields is needed.",
  kind: "danger",
  input: z
    .strictObject({ ...clientFilter, reason: z.string().max(256).optional(), dryRun })
    .refine(
      ({ reason: _reason, dryRun: _dry, ...filter }) => Object.values(filter).some((one) => one !== undefined),
      "expected clientId, prefix, contains, username, address or listener",
    ),
  output: z.object({
    matched: z.int(),
    disconnected: z.int(),
    clientIds: z.array(z.string()).describe("the first 100"),
    complete: z.boolean(),
  }),
  cli: { words: "clients disconnect" },
  patience: () => SCAN_PATIENCE,
  async run({ broker, scans }, { reason, dryRun: isDry, ...filter }) {
    const matches = matcherOf(filter);
    const leave = await scans.enter();
    try {
      const clientIds: string[] = [];
      let [matched, disconnected] = [0, 0];
      const scan = new SlicedScan(candidates(broker.operations, filter));
      await scan.run((view) => {
        if (!view.connected || !matches(view)) return undefined;
        matched++;
        if (clientIds.length < MOST_SHOWN) clientIds.push(view.clientId);
        if (!isDry && broker.disconnect(view.clientId, ReasonCode.AdministrativeAction, reason)) disconnected++;
        return undefined;
      });
      return { matched, disconnected, clientIds, complete: scan.complete };
    } finally {
      leave();
    }
  },
  merge: (parts) => ({
    matched: sumOf(parts, "matched"),
    disconnected: sumOf(parts, "disconnected"),
    clientIds: parts.flatMap(({ clientIds }) => clientIds).slice(0, MOST_SHOWN),
    complete: parts.every(({ complete }) => complete),
  }),
});

export function unknown(id: string): never {
  throw new AdminError("not_found", `there is no session of the client "${id}"`, { field: "clientId" });
}
