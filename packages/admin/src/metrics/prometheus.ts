// The numbers of `$SYS` by Prometheus' conventions: one file of text is less than a library with a registry of its own.
import type { Broker, MetricName } from "@wrenmq/broker";
import { BOUNDS, type Histogram, type Histograms } from "./histograms.ts";

interface Description {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly labels?: Readonly<Record<string, string>>;
}

const counter = (name: string, help: string, labels?: Readonly<Record<string, string>>): Description => ({
  name: `wrenmq_${name}_total`,
  help,
  type: "counter",
  ...(labels === undefined ? {} : { labels }),
});
const gauge = (name: string, help: string): Description => ({ name: `wrenmq_${name}`, help, type: "gauge" });
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
  uptimeSeconds: gauge("uptime_seconds", "Seconds since the start."),
  clientsConnected: gauge("clients_connected", "Clients that are connected."),
  clientsDisconnected: gauge("clients_disconnected", "Sessions whose client is not connected."),
  clientsTotal: gauge("clients", "Sessions, with and without a connection."),
  clientsMaximum: gauge("clients_connected_maximum", "Most clients that were connected at one time."),
  sessionsLasting: gauge("sessions_lasting", "Sessions that outlive their connections."),
  inflightIn: gauge("inflight_in", "QoS 2 messages of clients whose PUBREL has not come."),
  inflightOut: gauge("inflight_out", "QoS 1 and 2 messages that clients have not acknowledged."),
  queued: gauge("queued", "Messages that wait for their session."),
  retained: gauge("retained", "Retained messages."),
  retainedBytes: gauge("retained_bytes", "Bytes of retained messages."),
  subscriptions: gauge("subscriptions", "Subscriptions."),
  timers: gauge("timers", "Timers that run."),
  outputMemory: gauge("output_memory_bytes", "Bytes that wait for clients to take them."),
};

/** The text of `/metrics`, format 0.0.4. */
export function prometheusText(broker: Broker, histograms: Histograms): string {
  const lines: string[] = [];
  let last = "";
  const sample = ({ name, help, type, labels = {} }: Description, value: number): void => {
    if (name !== last) lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    last = name;
    lines.push(`${name}${labelText(labels)} ${value}`);
  };
  const metrics = broker.metrics();
  for (const [name, description] of Object.entries(PROMETHEUS) as [MetricName, Description][]) {
    sample(description, metrics[name]);
  }
  const { operations } = broker;
  for (const { name, connections } of operations.listeners()) {
    const labels = { listener: name };
    sample({ ...gauge("listener_connections", "Connections of a listener."), labels }, connections);
  }
  sample(gauge("draining", "1: nobody new is let in."), operations.drainState === undefined ? 0 : 1);
  sample(gauge("store_failing", "1: the store refuses what is written."), operations.store === "failing" ? 1 : 0);
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const ofProcess = { type: "gauge" } as const;
  sample({ ...ofProcess, name: "process_resident_memory_bytes", help: "Resident memory." }, rss);
  sample({ ...ofProcess, name: "nodejs_heap_size_used_bytes", help: "Bytes of the heap in use." }, heapUsed);
  sample(
    { name: "process_cpu_seconds_total", help: "CPU time, user and system.", type: "counter" },
    (user + system) / 1e6,
  );
  lines.push(...summary(histograms));
  lines.push(...histogram("wrenmq_gc_pause_seconds", "Pauses of the garbage collector.", histograms.garbageCollection));
  lines.push(...histogram("wrenmq_store_commit_seconds", "Time of the store for one batch.", histograms.storeCommit));
  return `${lines.join("\n")}\n`;
}

function summary(histograms: Histograms): string[] {
  const name = "wrenmq_event_loop_delay_seconds";
  const { quantiles, count, sum } = histograms.eventLoopDelay();
  return [
    `# HELP ${name} How late the event loop is.`,
    `# TYPE ${name} summary`,
    ...[...quantiles].map(([quantile, value]) => `${name}{quantile="${quantile}"} ${value}`),
    `${name}_sum ${sum}`,
    `${name}_count ${count}`,
  ];
}

function histogram(name: string, help: string, values: Histogram): string[] {
  const counts = values.cumulative();
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} histogram`,
    ...BOUNDS.map((bound, index) => `${name}_bucket{le="${bound}"} ${counts[index] ?? 0}`),
    `${name}_bucket{le="+Inf"} ${values.count}`,
    `${name}_sum ${values.sum}`,
    `${name}_count ${values.count}`,
  ];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
