// The options of this plugin: the one place that knows them. The configuration file's keys, the JSON Schema and the tables
// of the documentation are made from it.
import { about, filePath, options, type SchemaOf, type Settled, seconds } from "@wrenmq/plugin-api/options";

export interface AuthScramOptions {
  /** Path of the file with the users' credentials. */
  readonly file: string;
  /** Seconds between two looks whether the file has changed; 0 never looks. Default 2. */
  readonly reloadInterval?: number;
}

export const OPTIONS: SchemaOf<Settled<AuthScramOptions>> = options(
  {
    file: about("User names with their stored keys.", filePath()),
    reloadInterval: about(
      "Time between two looks whether the file has changed; `0s` never looks.",
      seconds({ default: 2 }),
    ),
  },
  { doc: "SCRAM-SHA-256 through enhanced authentication (MQTT 5)." },
);
