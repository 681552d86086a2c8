// The broker's metrics by name, computed on demand.
import type { Counters } from "@wrenmq/protocol";
import type { Router } from "../routing/router.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";

/** Counted from the start of the broker; all others are present values. */
type CounterName = keyof Counters | "hookFailures";

/** Names of the metrics. The unit is in the name of those in bytes and seconds; all others are counts. */
export type MetricName =
  | CounterName
  | "uptimeSeconds"
  | "clientsConnected"
  | "clientsDisconnected"
  | "clientsTotal"
  | "clientsMaximum"
  /** Sessions that outlive their connections. */
  | "sessionsLasting"
  /** QoS 2 messages whose PUBREL has not arrived. */
  | "inflightIn"
  /** QoS 1 and 2 messages that clients have not acknowledged. */
  | "inflightOut"
  | "queued"
  | "retained"
  | "retainedBytes"
  | "subscriptions"
  /** Messages that are stored until they have reached other brokers, or until a plugin has decided about them. */
  | "outbox"
  | "outboxBytes"
  | "timers"
  /** Bytes that wait for clients to read them. */
  | "outputMemory";

export type Metrics = Readonly<Record<MetricName, number>>;

export function measure(
  counters: Counters,
  registry: SessionRegistry,
  router: Router,
  startedAt: number,
  now: number,
): Omit<Metrics, "hookFailures" | "timers" | "outputMemory" | "outbox" | "outboxBytes"> {
  let inflightOut = 0;
  let inflightIn = 0;
  let queued = 0;
  for (const { session } of registry.values()) {
    inflightOut += session.window.size;
    inflightIn += session.inbound?.size ?? 0;
    queued += session.queued;
  }
  return {
    ...counters,
    uptimeSeconds: Math.floor((now - startedAt) / 1000),
    clientsConnected: registry.connected,
    clientsDisconnected: registry.size - registry.connected,
    clientsTotal: registry.size,
    clientsMaximum: registry.maximum,
    sessionsLasting: registry.lasting,
    inflightIn,
    inflightOut,
    queued,
    retained: router.retained.size,
    retainedBytes: router.retained.bytes,
    subscriptions: router.routes.size,
  };
}
