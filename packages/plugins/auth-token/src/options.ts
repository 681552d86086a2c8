// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
import { about, boolean, filePath, options, type SchemaOf, type Settled, seconds } from "@wrenmq/plugin-api/options";

export interface AuthTokenOptions {
  /** Path of the file with the hashed tokens. */
  readonly file: string;
  /** Decide by the token's lists which topics its client may use. Default true. */
  readonly authorize?: boolean;
  /** Seconds between two checks whether the file has changed; 0 never checks. Default 2. */
  readonly reloadIntervalSeconds?: number;
}

export const OPTIONS: SchemaOf<Settled<AuthTokenOptions>> = options(
  {
    file: about("Hashed tokens.", filePath()),
    authorize: about("Decide by the token's lists who may use which topic.", boolean({ default: true })),
    reloadIntervalSeconds: about(
      "Time between two checks whether the file has changed; `0s` never checks.",
      seconds({ default: 2 }),
    ),
  },
  { doc: "The password is a revocable token." },
);
