// Bounds of a session's queue, and what delivering to it comes to.
import type { Millis } from "../time.ts";

/** What happens to a message for a session whose queue is at its bound. */
export type Overflow = "backpressure" | "drop-new" | "drop-old" | "disconnect";

export interface SessionLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  readonly overflow: Overflow;
  /** Milliseconds that a connected session may hold its publishers with the policy `backpressure`; Infinity: no limit. */
  readonly backpressureTimeout: Millis;
}

/** What `deliver` has done, as bits. */
export const DeliveryResult = {
  /** A fact was recorded: an acknowledgement waits until it is durable. */
  Recorded: 1,
  /** The queue is over its bound: the publisher waits until `whenRelieved`. */
  Congested: 2,
} as const;
