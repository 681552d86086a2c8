// Units of time, in the types. The core knows no clock: the present is always passed in.

/** Milliseconds since the epoch, or a span of them. */
export type Millis = number;
/** Seconds, as MQTT counts its intervals. */
export type Seconds = number;
/** The deadline of what never happens. */
export const NEVER: Millis = Number.POSITIVE_INFINITY;
