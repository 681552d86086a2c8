// Commands about the broker as a whole: health, statistics, listeners; drain.
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Broker, type ClusterReport, type ListenerReport, sumMetrics, VERSION } from "@wrenmq/broker";
import { z } from "zod";
import { type Among, defineClusterCommand } from "../define-command.ts";
import { dropsByReason } from "../metrics/drops.ts";
import type { Histograms } from "../metrics/histograms.ts";
import { dateOf, sampleMs } from "./fields.ts";
import { largestOf, largestsOf, sumOf, sumsOf } from "./merging.ts";

const DAY = 86_400_000;

const check = z.object({ name: z.string(), ok: z.boolean(), detail: z.string().optional() });
export const healthReport = z.object({
  ready: z.boolean().describe("may clients be sent here?"),
  state: z.enum(["new", "starting", "started", "stopping", "stopped"]),
  checks: z.array(check),
});

export type HealthReport = z.output<typeof healthReport>;

/** Ready: the store works, the listeners are open, the cluster is there, and the broker is not draining. */
export function healthOf(broker: Broker): HealthReport {
  const { operations, state } = broker;
  const { store, storeError, drainState } = operations;
  const listeners = [...operations.listeners()];
  const drained = drainState && `since ${dateOf(drainState.since)}`;
  const checks = [
    { name: "started", ok: state === "started" },
    { name: "store", ok: store !== "failing", ...(storeError === undefined ? {} : { detail: storeError }) },
    { name: "listeners", ok: listeners.length > 0, detail: `${listeners.length} open` },
    ...(operations.cluster === undefined ? [] : [clusterCheck(operations.cluster)]),
    { name: "not draining", ok: drainState === undefined, ...(drained === undefined ? {} : { detail: drained }) },
  ];
  return { ready: checks.every(({ ok }) => ok), state, checks };
}

/** While the others may have replaced this member its acknowledgements wait: clients should be sent elsewhere. */
function clusterCheck({ name, isCertain, members }: ClusterReport): z.output<typeof check> {
  if (!isCertain) return { name: "cluster", ok: false, detail: `${name} cannot be reached` };
  const isDraining = members.some((one) => one.isSelf && one.isDraining);
  return { name: "cluster", ok: !isDraining, detail: isDraining ? "this member is being emptied" : name };
}

/** Ready: all members are there and ready. */
function healthOfAll(reports: readonly HealthReport[], { answered, missing }: Among): HealthReport {
  const [first] = reports;
  if (reports.length === 1 && missing.length === 0 && first !== undefined) return first;
  const names = new Set(reports.flatMap(({ checks }) => checks.map(({ name }) => name)));
  const checks = [...names].map((name) => {
    const found = reports.map((report) => report.checks.find((one) => one.name === name));
    const failed = found.flatMap((one, index) =>
      one?.ok === true ? [] : [`${answered[index]?.name}${one?.detail === undefined ? "" : `: ${one.detail}`}`],
    );
    const detail = failed.length > 0 ? failed.join("; ") : found[0]?.detail;
    return { name, ok: failed.length === 0, ...(detail === undefined ? {} : { detail }) };
  });
  const absent = missing.map(({ name }) => name).join(", ");
  checks.push({
    name: "workers",
    ok: missing.length === 0,
    detail: missing.length === 0 ? `${reports.length} of ${reports.length}` : `no answer from ${absent}`,
  });
  const state = reports.find((one) => one.state !== "started")?.state ?? first?.state ?? "starting";
  return { ready: checks.every(({ ok }) => ok), state, checks };
}

export const health = defineClusterCommand({
  name: "health",
  summary: "Say whether clients may be sent here, and what is wrong if not.",
  kind: "read",
  input: z.strictObject({}),
  output: healthReport,
  cli: { words: "health" },
  answersAlone: true,
  run: ({ broker }) => healthOf(broker),
  merge: (reports, _input, among) => healthOfAll(reports, among),
});

export const metrics = defineClusterCommand({
  name: "metrics",
  summary: "Show the broker's counters by name, the same numbers as $SYS.",
  kind: "read",
  input: z.strictObject({}),
  output: z.object({}).catchall(z.number()),
  cli: { words: "metrics" },
  run: ({ broker }) => broker.metrics(),
  merge: ([first, ...others]) => ({ ...sumMetrics(first, others) }),
});

const RATED = ["publishReceived", "publishSent", "bytesReceived", "bytesSent", "connectionsAccepted"] as const;

export const stats = defineClusterCommand({
  name: "stats",
  summary: "Show the most important numbers on one page: clients, messages, losses, memory, the event loop.",
  kind: "read",
  input: z.strictObject({ sampleMs }),
  output: z.object({
    version: z.string(),
    node: z.string(),
    pid: z.int(),
    state: z.string(),
    ready: z.boolean(),
    uptimeSeconds: z.number(),
    clientsConnected: z.int(),
    sessions: z.int(),
    subscriptions: z.int(),
    retained: z.int(),
    queued: z.int(),
    inflight: z.int(),
    dropped: z.record(z.string(), z.int()).describe("since the start, by reason; reasons without a loss are left out"),
    perSecond: z.record(z.string(), z.number()).optional(),
    residentBytes: z.int(),
    heapBytes: z.int(),
    store: z.enum(["none", "ok", "failing"]),
    draining: z.boolean(),
    eventLoopDelay: z
      .record(z.string(), z.number())
      .optional()
      .describe("seconds by quantile, since somebody first asked; of several workers the largest"),
    latency: z
      .record(z.string(), z.number())
      .optional()
      .describe(
        "seconds that messages take from the read to the last write, as eventLoopDelay; absent: none was measured",
      ),
    workers: z
      .array(z.object({ name: z.string(), pid: z.int(), clientsConnected: z.int(), residentBytes: z.int() }))
      .optional()
      .describe("absent: there is one process"),
  }),
  cli: { words: "stats" },
  patience: ({ sampleMs: pause }) => pause,
  async run({ broker, histograms }, { sampleMs: pause }) {
    histograms.start();
    const before = broker.metrics();
    const since = performance.now();
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    const now = broker.metrics();
    const seconds = (performance.now() - since) / 1000;
    const { rss, heapUsed } = process.memoryUsage();
    const { operations } = broker;
    const { quantiles } = histograms.eventLoopDelay();
    return {
      version: VERSION,
      node: process.version,
      pid: process.pid,
      state: broker.state,
      ready: healthOf(broker).ready,
      uptimeSeconds: now.uptimeSeconds,
      clientsConnected: now.clientsConnected,
      sessions: now.clientsTotal,
      subscriptions: now.subscriptions,
      retained: now.retained,
      queued: now.queued,
      inflight: now.inflightOut,
      dropped: Object.fromEntries(Object.entries(dropsByReason(now)).filter(([, count]) => count > 0)),
      perSecond:
        pause === 0
          ? undefined
          : Object.fromEntries(
              RATED.map((name) => [name, Math.round(((now[name] - before[name]) / seconds) * 10) / 10]),
            ),
      residentBytes: rss,
      heapBytes: heapUsed,
      store: operations.store,
      draining: operations.drainState !== undefined,
      eventLoopDelay:
        quantiles.size === 0
          ? undefined
          : Object.fromEntries([...quantiles].map(([q, value]) => [`p${q * 100}`, value])),
      latency: latencyOf(histograms),
    };
  },
  merge(parts, _input, { answered, missing }) {
    const [first] = parts;
    if (parts.length === 1 && missing.length === 0) return first;
    const perSecond = parts.map((part) => part.perSecond).filter((one) => one !== undefined);
    const latencies = parts.map((part) => part.latency).filter((one) => one !== undefined);
    const delays = parts.map((part) => part.eventLoopDelay).filter((one) => one !== undefined);
    return {
      version: first.version,
      node: first.node,
      pid: process.pid,
      state: parts.find(({ state }) => state !== "started")?.state ?? first.state,
      ready: missing.length === 0 && parts.every(({ ready }) => ready),
      uptimeSeconds: largestOf(parts, "uptimeSeconds"),
      clientsConnected: sumOf(parts, "clientsConnected"),
      sessions: sumOf(parts, "sessions"),
      subscriptions: sumOf(parts, "subscriptions"),
      // Every member has all of them.
      retained: largestOf(parts, "retained"),
      queued: sumOf(parts, "queued"),
      inflight: sumOf(parts, "inflight"),
      dropped: sumsOf(parts.map(({ dropped }) => dropped)),
      perSecond: perSecond.length === 0 ? undefined : sumsOf(perSecond),
      residentBytes: sumOf(parts, "residentBytes"),
      heapBytes: sumOf(parts, "heapBytes"),
      store: parts.find(({ store }) => store === "failing")?.store ?? first.store,
      draining: parts.some(({ draining }) => draining),
      eventLoopDelay: delays.length === 0 ? undefined : largestsOf(delays),
      latency: latencies.length === 0 ? undefined : largestsOf(latencies),
      workers: parts.map(({ pid, clientsConnected, residentBytes }, index) => {
        return { name: answered[index]?.name ?? "", pid, clientsConnected, residentBytes };
      }),
    };
  },
});

function latencyOf({ latencyPercentiles }: Histograms): Record<string, number> | undefined {
  const values = [50, 90, 99, 100].flatMap((percent) => {
    const value = latencyPercentiles.at(percent);
    return value === undefined ? [] : [[`p${percent}`, value] as const];
  });
  return values.length === 0 ? undefined : Object.fromEntries(values);
}

const certificate = z.object({
  subject: z.string(),
  names: z.string().optional(),
  validFrom: z.string(),
  validTo: z.string(),
  daysLeft: z.int(),
  problem: z.string().optional(),
});

export const listenersList = defineClusterCommand({
  name: "listeners.list",
  summary: "List the listeners with their connections and the end dates of their certificates.",
  kind: "read",
  input: z.strictObject({}),
  output: z.object({
    items: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        address: z.string().optional(),
        connections: z.int(),
        maxConnections: z.int().describe("0: no limit"),
        plugins: z.array(z.string()).optional().describe("those that decide here; absent: all"),
        certificates: z.array(certificate.partial()),
      }),
    ),
  }),
  cli: { words: "listeners" },
  async run({ broker }) {
    const items = [];
    for (const report of broker.operations.listeners()) {
      const { name, type, address, connections, maxConnections, plugins } = report;
      const certificates = await certificatesOf(report, broker.operations.now());
      items.push({ name, type, address, connections, maxConnections, plugins: plugins && [...plugins], certificates });
    }
    return { items };
  },
  merge([first, ...others]) {
    const all = new Map(first.items.map((one) => [one.name, one]));
    for (const one of others.flatMap(({ items }) => items)) {
      const known = all.get(one.name);
      const merged = known && {
        ...known,
        connections: known.connections + one.connections,
        maxConnections: known.maxConnections + one.maxConnections,
      };
      all.set(one.name, merged ?? one);
    }
    return { items: [...all.values()] };
  },
});

async function certificatesOf(
  { certificates }: ListenerReport,
  now: number,
): Promise<Partial<z.input<typeof certificate>>[]> {
  return Promise.all(
    certificates.map(async ({ cert }) => {
      try {
        const isFile = typeof cert === "string" && !cert.includes("-----BEGIN");
        const { subject, subjectAltName, validFrom, validTo } = new X509Certificate(
          isFile ? await readFile(cert) : cert,
        );
        const end = Date.parse(validTo);
        return {
          subject,
          names: subjectAltName,
          validFrom: dateOf(Date.parse(validFrom)),
          validTo: dateOf(end),
          daysLeft: Math.floor((end - now) / DAY),
        };
      } catch (error) {
        return { problem: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}

export const drain = defineClusterCommand({
  name: "drain",
  summary:
    "Let nobody new in and disconnect who is there at a rate (MQTT 5: 0x9C Use another server), or stop doing so.",
  kind: "danger",
  input: z.strictObject({
    cancel: z.boolean().default(false).describe("take clients again"),
    rate: z.int().min(0).max(100_000).default(100).describe("clients per second; 0: only let nobody new in"),
    serverReference: z.string().min(1).max(1_024).optional().describe("where MQTT 5 clients are sent (3.14.2.2.5)"),
  }),
  output: z.object({
    draining: z.boolean(),
    clientsConnected: z.int(),
    estimatedSeconds: z.number().optional(),
  }),
  cli: { words: "drain" },
  divide: (input, _index, count) => ({ ...input, rate: input.rate / count }),
  run({ broker }, { cancel, rate, serverReference }) {
    const { operations, connected } = broker;
    if (cancel) operations.stopDrain();
    else operations.startDrain({ rate, ...(serverReference === undefined ? {} : { serverReference }) });
    return { clientsConnected: connected };
  },
  merge(parts, { cancel, rate }) {
    const clientsConnected = sumOf(parts, "clientsConnected");
    return {
      draining: !cancel,
      clientsConnected,
      ...(cancel || rate === 0 ? {} : { estimatedSeconds: Math.ceil(clientsConnected / rate) }),
    };
  },
});
