// The broker's limits, and what of them holds for sessions.
import type { Limits } from "@wrenmq/limits";
import type { Seconds, SessionLimits } from "@wrenmq/protocol";

export { DEFAULT_LIMITS } from "@wrenmq/limits";

export type BrokerLimits = Limits;

/** What of the limits holds for sessions, whether their clients are connected or not. */
export function sessionLimitsOf(limits: BrokerLimits): SessionLimits {
  const { maxQueuedMessages, maxQueuedBytes, overflow, backpressureTimeout } = limits;
  return {
    maxQueuedMessages: bound(maxQueuedMessages),
    maxQueuedBytes: bound(maxQueuedBytes),
    overflow,
    backpressureTimeout: bound(backpressureTimeout),
  };
}

const bound = (limit: number): number => (limit === 0 ? Number.POSITIVE_INFINITY : limit);

export interface SessionPolicy {
  /** Seconds that a session without Clean Session lives on before MQTT 5 could say; Infinity: for ever. */
  readonly defaultExpiry: Seconds;
  /** The longest expiry that a client gets. Seconds. */
  readonly maximumExpiry: Seconds;
}
