// The tables that a database of shadows may have.
import type { Generated } from "kysely";

export interface Tables {
  shadows: {
    id: Generated<number>;
    device: string;
    name: string;
    version: number;
    document: string;
  };
  /** The table of aMQTT. */
  shadows_shadow: {
    /** A UUID. */
    id: string;
    device_id: string;
    name: string;
    version: number;
    /** JSON: text, or what a driver makes of it. */
    state: unknown;
    /** Epoch seconds. */
    created_at: number;
  };
}
