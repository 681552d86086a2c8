// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
import { about, filePath, options, type SchemaOf, type Settled, seconds } from "@wrenmq/plugin-api/options";

export interface AuthScramOptions {
  /** Path of the file with the users' credentials. */
  readonly file: string;
  /** Seconds between two checks whether the file has changed; 0 never checks. Default 2. */
  readonly reloadIntervalSeconds?: number;
}

export const OPTIONS: SchemaOf<Settled<AuthScramOptions>> = options(
  {
    file: about("User names with their stored keys.", filePath()),
    reloadIntervalSeconds: about(
      "Time between two checks whether the file has changed; `0s` never checks.",
      seconds({ default: 2 }),
    ),
  },
  { doc: "SCRAM-SHA-256 through enhanced authentication (MQTT 5)." },
);
