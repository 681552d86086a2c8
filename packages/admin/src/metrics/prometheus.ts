// The numbers of `$SYS` by Prometheus' conventions: one file of text is less than a library with a registry of its own.
// Each member makes families of samples; those of several members are merged before they become text.
import type { Broker, MetricName } from "@wrenmq/broker";
import type { Among } from "../define-command.ts";
import type { Histogram } from "./histogram.ts";
import type { Histograms } from "./histograms.ts";

type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** `_bucket`, `_sum`, `_count`, or nothing. */
  readonly suffix: string;
  readonly labels: Labels;
  readonly value: number;
}

/**
 * What becomes of the samples of several members: their sum, the largest, or each with a label `worker`, where neither
 * says anything.
 */
type Merging = "sum" | "largest" | "each";

/** All samples of one name. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly merging: Merging;
  readonly samples: readonly Sample[];
}

interface Description {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly labels?: Labels;
  /** Default: sum. */
  readonly merging?: Merging;
}

const counter = (name: string, help: string, labels?: Labels): Description => ({
  name: `wrenmq_${name}_total`,
  help,
  type: "counter",
  ...(labels === undefined ? {} : { labels }),
});
const gauge = (name: string, help: string): Description => ({ name: `wrenmq_${name}`, help, type: "gauge" });
/** The same on every member, or not to be added. */
const gaugeOfAll = (name: string, help: string): Description => ({ ...gauge(name, help), merging: "largest" });
const dropped = (reason: string): Description =>
  counter("messages_dropped", "Messages that did not reach somebody, by reason.", { reason });
const failed = (reason: string): Description =>
  counter("connections_failed", "Connections that came to nothing before CONNECT, by reason.", { reason });

/** Every metric of the broker: the compiler checks that none is forgotten. */
export const PROMETHEUS: Readonly<Record<MetricName, Description>> = {
  bytesReceived: counter("received_bytes", "Bytes received from clients."),
  bytesSent: counter("sent_bytes", "Bytes sent to clients."),
  packetsReceived: counter("packets_received", "Packets of every type received."),
  packetsSent: counter("packets_sent", "Packets of every type sent."),
  publishReceived: counter("publish_received", "PUBLISH packets received."),
  publishSent: counter("publish_sent", "PUBLISH packets sent."),
  publishBytesReceived: counter("publish_received_payload_bytes", "Bytes of payloads received."),
  publishBytesSent: counter("publish_sent_payload_bytes", "Bytes of payloads sent."),
  connectionsAccepted: counter("connections_accepted", "Connections accepted."),
  connectionsRefused: counter("connections_refused", "Connections refused."),
  connectsReceived: counter("connects_received", "CONNECT packets received."),
  sessionsExpired: counter("sessions_expired", "Sessions that ended because nobody came back in time."),
  protocolErrors: counter("protocol_errors", "Connections closed because the client broke the protocol."),
  failedHandshake: failed("handshake"),
  failedProxyHeader: failed("proxy_header"),
  failedConnect: failed("connect"),
  droppedQueueFull: dropped("queue_full"),
  droppedExpired: dropped("expired"),
  droppedTooLarge: dropped("too_large"),
  droppedBlocked: dropped("blocked"),
  droppedNotAuthorized: dropped("not_authorized"),
  droppedInvalidTopic: dropped("invalid_topic"),
  droppedOffline: dropped("offline"),
  droppedSessionEnded: dropped("session_ended"),
  droppedStoreFull: dropped("store_full"),
  hookFailures: counter("hook_failures", "Hooks of plugins that failed."),
  uptimeSeconds: gaugeOfAll("uptime_seconds", "Seconds since the start."),
  clientsConnected: gauge("clients_connected", "Clients that are connected."),
  clientsDisconnected: gauge("clients_disconnected", "Sessions whose client is not connected."),
  clientsTotal: gauge("clients", "Sessions, with and without a connection."),
  clientsMaximum: gauge("clients_connected_maximum", "Most clients that were connected at one time."),
  sessionsLasting: gauge("sessions_lasting", "Sessions that outlive their connections."),
  inflightIn: gauge("inflight_in", "QoS 2 messages of clients whose PUBREL has not come."),
  inflightOut: gauge("inflight_out", "QoS 1 and 2 messages that clients have not acknowledged."),
  queued: gauge("queued", "Messages that wait for their session."),
  outbox: gauge("outbox", "Messages that are kept until other brokers, or plugins, have answered."),
  outboxBytes: gauge("outbox_bytes", "Bytes of those messages."),
  retained: gaugeOfAll("retained", "Retained messages."),
  retainedBytes: gaugeOfAll("retained_bytes", "Bytes of retained messages."),
  subscriptions: gauge("subscriptions", "Subscriptions."),
  timers: gauge("timers", "Timers that run."),
  outputMemory: gauge("output_memory_bytes", "Bytes that wait for clients to take them."),
};

/** The numbers of one member. */
export function familiesOf(broker: Broker, histograms: Histograms): Family[] {
  const families = new Map<string, Family & { readonly samples: Sample[] }>();
  const sample = ({ name, help, type, labels = {}, merging = "sum" }: Description, value: number): void => {
    const family = families.get(name) ?? { name, help, type, merging, samples: [] };
    families.set(name, family);
    family.samples.push({ suffix: "", labels, value });
  };
  const metrics = broker.metrics();
  for (const [name, description] of Object.entries(PROMETHEUS) as [MetricName, Description][]) {
    sample(description, metrics[name]);
  }
  const { operations } = broker;
  for (const { name, connections } of operations.listeners()) {
    sample({ ...gauge("listener_connections", "Connections of a listener."), labels: { listener: name } }, connections);
  }
  sample(gaugeOfAll("draining", "1: nobody new is let in."), operations.drainState === undefined ? 0 : 1);
  const isFailing = operations.store === "failing";
  sample(gaugeOfAll("store_failing", "1: the store refuses what is written."), isFailing ? 1 : 0);
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const own = { merging: "each" } as const;
  sample({ name: "process_resident_memory_bytes", help: "Resident memory.", type: "gauge", ...own }, rss);
  sample({ name: "nodejs_heap_size_used_bytes", help: "Bytes of the heap in use.", type: "gauge", ...own }, heapUsed);
  const cpu = { name: "process_cpu_seconds_total", help: "CPU time, user and system.", type: "counter" } as const;
  sample({ ...cpu, ...own }, (user + system) / 1e6);
  return [
    ...families.values(),
    eventLoop(histograms),
    histogram("wrenmq_gc_pause_seconds", "Pauses of the garbage collector.", [
      { values: histograms.garbageCollection },
    ]),
    histogram("wrenmq_store_commit_seconds", "Time of the store for one batch.", [{ values: histograms.storeCommit }]),
    histogram("wrenmq_publish_latency_seconds", "From the read of a PUBLISH to its last write, in samples.", [
      { values: histograms.latency },
    ]),
    histogram(
      "wrenmq_plugin_answer_seconds",
      "Time of answers that a plugin has not given at once.",
      [...histograms.answers].map(({ plugin, hook, times: values }) => ({ labels: { plugin, hook }, values })),
    ),
  ];
}

/** The numbers of all members. */
export function mergeFamilies(parts: readonly (readonly Family[])[], { answered, missing }: Among): Family[] {
  const merged = new Map<string, Merged>();
  for (const [index, families] of parts.entries()) {
    const label = answered[index]?.label;
    for (const family of families) {
      const { samples } = merged.get(family.name) ?? opened(merged, family);
      for (const one of family.samples) add(samples, family.merging, withWorker(one, family.merging, label));
    }
  }
  const members = [...answered.map((one) => ({ ...one, up: 1 })), ...missing.map((one) => ({ ...one, up: 0 }))];
  const up = members.flatMap(({ label, up: value }) =>
    label === undefined ? [] : [{ suffix: "", labels: { worker: label }, value }],
  );
  const families = [...merged.values()].map((family) => ({ ...family, samples: [...family.samples.values()] }));
  if (up.length === 0) return families;
  const help = "1: the numbers of this worker are among these.";
  return [...families, { name: "wrenmq_worker_up", help, type: "gauge", merging: "each", samples: up }];
}

type Merged = Omit<Family, "samples"> & { readonly samples: Map<string, Sample> };

function opened(merged: Map<string, Merged>, family: Family): Merged {
  const opening = { ...family, samples: new Map<string, Sample>() };
  merged.set(family.name, opening);
  return opening;
}

function add(samples: Map<string, Sample>, merging: Merging, sample: Sample): void {
  const key = `${sample.suffix} ${JSON.stringify(sample.labels)}`;
  const known = samples.get(key);
  if (known === undefined) samples.set(key, sample);
  else {
    const value = merging === "largest" ? Math.max(known.value, sample.value) : known.value + sample.value;
    samples.set(key, { ...known, value });
  }
}

function withWorker(sample: Sample, merging: Merging, label: string | undefined): Sample {
  if (merging !== "each" || label === undefined) return sample;
  return { ...sample, labels: { worker: label, ...sample.labels } };
}

/** The text of `/metrics`, format 0.0.4. */
export function prometheusText(families: readonly Family[]): string {
  const lines = families.flatMap(({ name, help, type, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(({ suffix, labels, value }) => `${name}${suffix}${labelText(labels)} ${value}`),
  ]);
  return `${lines.join("\n")}\n`;
}

function eventLoop(histograms: Histograms): Family {
  const { quantiles, count, sum } = histograms.eventLoopDelay();
  return {
    name: "wrenmq_event_loop_delay_seconds",
    help: "How late the event loop is.",
    type: "summary",
    merging: "each",
    samples: [
      ...[...quantiles].map(([quantile, value]) => ({ suffix: "", labels: { quantile: String(quantile) }, value })),
      { suffix: "_sum", labels: {}, value: sum },
      { suffix: "_count", labels: {}, value: count },
    ],
  };
}

interface Labelled {
  readonly labels?: Labels;
  readonly values: Histogram;
}

function histogram(name: string, help: string, all: readonly Labelled[]): Family {
  return {
    name,
    help,
    type: "histogram",
    merging: "sum",
    samples: all.flatMap(samplesOf),
  };
}

function samplesOf({ labels = {}, values }: Labelled): Sample[] {
  const counts = values.cumulative();
  const upTo = (le: string, value: number): Sample => ({ suffix: "_bucket", labels: { ...labels, le }, value });
  return [
    ...values.bounds.map((bound, index) => upTo(String(bound), counts[index] ?? 0)),
    upTo("+Inf", values.count),
    { suffix: "_sum", labels, value: values.sum },
    { suffix: "_count", labels, value: values.count },
  ];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
