// The options of these plugins. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
import { about, boolean, options, type SchemaOf, type Settled } from "@wrenmq/plugin-api/options";

export interface PacketLogOptions {
  /** Log PINGREQ and PINGRESP too. Default true. */
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
