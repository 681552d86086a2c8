// The options of this plugin: the one place that knows them. The configuration file's keys, the JSON Schema and the tables
// of the documentation are made from it.
import { about, boolean, filePath, options, type SchemaOf, type Settled, seconds } from "@wrenmq/plugin-api/options";

export interface AuthTokenOptions {
  /** Path of the file with the hashed tokens. */
  readonly file: string;
  /** Decide by the token's lists which topics its client may use. Default true. */
  readonly authorize?: boolean;
  /** Seconds between two looks whether the file has changed; 0 never looks. Default 2. */
  readonly reloadInterval?: number;
}

export const OPTIONS: SchemaOf<Settled<AuthTokenOptions>> = options(
  {
    file: about("Hashed tokens.", filePath()),
    authorize: about("Decide by the token's lists who may use which topic.", boolean({ default: true })),
    reloadInterval: about(
      "Time between two looks whether the file has changed; `0s` never looks.",
      seconds({ default: 2 }),
    ),
  },
  { doc: "The password is a revocable token." },
);
