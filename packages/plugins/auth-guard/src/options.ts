// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
import { about, count, milliseconds, options, type SchemaOf, type Settled, seconds } from "@wrenmq/plugin-api/options";

export interface AuthGuardOptions {
  /** Failures of an address that ban it; 0 never bans. Default 20. */
  readonly banAddressAfter?: number;
  /**
   * Failures of a user name, from any address, that ban it; 0 never bans. Default 0, as others could lock the user out.
   */
  readonly banUserAfter?: number;
  /** Seconds in which failures are counted together. Default 600. */
  readonly windowSeconds?: number;
  /** Seconds that a ban lasts. Default 900. */
  readonly banSeconds?: number;
  /** Failures without any delay. Default 3. */
  readonly freeFailures?: number;
  /** Milliseconds of the first delay; each further failure doubles it. Default 250; 0 never delays. */
  readonly delay?: number;
  /** Milliseconds of the longest delay, below the broker's time limit for hooks. Default 4000. */
  readonly maxDelay?: number;
  /** Clients that may be delayed at once; more are refused. Default 1000. */
  readonly maxWaiting?: number;
}

export const OPTIONS: SchemaOf<Settled<AuthGuardOptions>> = options(
  {
    banAddressAfter: about("Failures of an address that ban it; 0: never.", count({ default: 20 })),
    banUserAfter: about(
      "Failures of a user name that ban it; 0: never, as others could lock it out.",
      count({ default: 0 }),
    ),
    windowSeconds: about("Time in which failures are counted together.", seconds({ min: 1, default: 600 })),
    banSeconds: about("How long a ban lasts.", seconds({ min: 1, default: 900 })),
    freeFailures: about("Failures without a delay.", count({ default: 3 })),
    delay: about("The first delay; each further failure doubles it.", milliseconds({ default: 250 })),
    maxDelay: about("The longest delay.", milliseconds({ max: 9000, default: 4000 }), "maximum_delay"),
    maxWaiting: about("Clients that may be delayed at once; more are refused.", count({ default: 1000 })),
  },
  { doc: "Delays and bans clients that guess passwords." },
);
