// Units of time as types. The core has no clock: the present time is always an argument.

/** Milliseconds since the epoch, or a span of them. */
export type Millis = number;
/** Seconds, as MQTT counts its intervals. */
export type Seconds = number;
/** The deadline of what never happens. */
export const NEVER: Millis = Number.POSITIVE_INFINITY;
