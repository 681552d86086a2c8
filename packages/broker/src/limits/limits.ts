// The limits of the broker, and those of sessions among them.
import type { Limits } from "@wrenmq/limits";
import type { Seconds, SessionLimits } from "@wrenmq/protocol";

export { DEFAULT_LIMITS } from "@wrenmq/limits";

export type BrokerLimits = Limits;

/** The limits that apply to a session, whether its client is connected or not. */
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
  /**
   * Seconds that a session of MQTT 3 without Clean Session outlives its connection; Infinity: for ever. Default
   * Infinity.
   */
  readonly defaultExpiry: Seconds;
  /** Seconds; longer session expiry intervals are reduced to this. Default Infinity. */
  readonly maximumExpiry: Seconds;
}
