// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
import { about, filePath, options, type SchemaOf, type Settled, seconds } from "@wrenmq/plugin-api/options";

export interface AuthPasswordOptions {
  /** Path of the password file. */
  readonly file: string;
  /**
   * Seconds after a login during which the same user and password are accepted without computing the hash; 0 always
   * computes it. Default 300.
   */
  readonly rememberSeconds?: number;
  /** Seconds between two checks whether the file has changed; 0 never checks. Default 2. */
  readonly reloadIntervalSeconds?: number;
}

export const OPTIONS: SchemaOf<Settled<AuthPasswordOptions>> = options(
  {
    file: about("Lines of `user:hash`; `#` starts a comment.", filePath()),
    rememberSeconds: about(
      "Time after a login during which the same user and password are accepted without computing the hash; `0s` always computes it.",
      seconds({ default: 300 }),
    ),
    reloadIntervalSeconds: about(
      "Time between two checks whether the file has changed; `0s` never checks.",
      seconds({ default: 2 }),
    ),
  },
  { doc: "User names and password hashes from a file." },
);
