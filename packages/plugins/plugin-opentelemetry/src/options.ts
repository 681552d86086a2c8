// The options of this plugin.
import { about, boolean, count, number, options, type SchemaOf, type Settled } from "@wrenmq/plugin-api/options";

export interface OpenTelemetryOptions {
  /** Fraction of the messages without a trace context of their own for which a trace is begun. Default 0.01. */
  readonly ratio?: number;
  /** Continue the traces of publishers: of messages whose `traceparent` says that it is sampled. Default true. */
  readonly follow?: boolean;
  /** Put the context of the broker's span into `traceparent` and `tracestate` of the message. Default true. */
  readonly inject?: boolean;
  /** Traces per second; there may be that many at once. Default 100. */
  readonly maxPerSecond?: number;
  /** Spans of deliveries for one message; the span of the route has the number of all. Default 50. */
  readonly maxDeliveries?: number;
}

export const OPTIONS: SchemaOf<Settled<OpenTelemetryOptions>> = options(
  {
    ratio: about(
      "Fraction of the messages without a trace context of their own for which a trace is begun.",
      number({ min: 0, max: 1, default: 0.01 }),
    ),
    follow: about(
      "Continue the traces of publishers: of messages whose `traceparent` says that it is sampled.",
      boolean({ default: true }),
    ),
    inject: about(
      "Put the context of the broker's span into `traceparent` and `tracestate` of the message.",
      boolean({ default: true }),
    ),
    maxPerSecond: about("Traces per second; there may be that many at once.", count({ default: 100 })),
    maxDeliveries: about(
      "Spans of deliveries for one message; the span of the route has the number of all.",
      count({ default: 50 }),
    ),
  },
  { doc: "Spans of messages for OpenTelemetry." },
);
