// Bounds of a session's queue, and the result of a delivery to it.
import type { Limits } from "@wrenmq/limits";

/** Bounds of a session's queue. Here Infinity is no limit. */
export type SessionLimits = Pick<Limits, "maxQueuedMessages" | "maxQueuedBytes" | "overflow" | "backpressureTimeout">;

/** What `deliver` has done, as bits. */
export const DeliveryResult = {
  /** A fact was recorded: an acknowledgement waits until it is durable. */
  Recorded: 1,
  /** The queue is over its bound: the publisher waits until `whenRelieved`. */
  Congested: 2,
} as const;
