// The broker's numbers by name, computed when somebody asks.
import type { Counters } from "@wrenmq/protocol";
import type { Router } from "../routing/router.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";

export type Metrics = Readonly<Record<string, number>>;

export function measure(
  counters: Counters,
  registry: SessionRegistry,
  router: Router,
  startedAt: number,
  now: number,
): Metrics {
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
