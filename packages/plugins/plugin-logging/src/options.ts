// The options of these plugins: the one place that knows them. The configuration file's keys, the JSON Schema and the tables
// of the documentation are made from it.
import { about, boolean, options, type SchemaOf, type Settled } from "@wrenmq/plugin-api/options";

export interface PacketLogOptions {
  /** Also PINGREQ and PINGRESP. Default true. */
  readonly pings?: boolean;
}

export const PACKET_LOG_OPTIONS: SchemaOf<Settled<PacketLogOptions>> = options(
  { pings: about("PINGREQ and PINGRESP too.", boolean({ default: true })) },
  { doc: "Every packet, at level debug." },
);

export const EVENT_LOG_OPTIONS: SchemaOf<Record<never, never>> = options(
  {},
  { doc: "Every event, at level info or debug." },
);
