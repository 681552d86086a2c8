// The options of this plugin: the one place that knows them. The configuration file's keys, the JSON Schema and the tables
// of the documentation are made from it.
import { about, filePath, options, type SchemaOf, type Settled, seconds } from "@wrenmq/plugin-api/options";

export interface AuthPasswordOptions {
  /** Path of the password file. */
  readonly file: string;
  /**
   * Seconds, from its last login, for which a user with its right password is let in again without computing the hash;
   * 0 always computes it. Default 300.
   */
  readonly rememberSeconds?: number;
  /** Seconds between two looks whether the file has changed; 0 never looks. Default 2. */
  readonly reloadInterval?: number;
}

export const OPTIONS: SchemaOf<Settled<AuthPasswordOptions>> = options(
  {
    file: about("Lines of `user:hash`; `#` starts a comment.", filePath()),
    rememberSeconds: about(
      "How long from its last login a user with its right password is let in without computing the hash again; `0s` never.",
      seconds({ default: 300 }),
    ),
    reloadInterval: about(
      "Time between two looks whether the file has changed; `0s` never looks.",
      seconds({ default: 2 }),
    ),
  },
  { doc: "User names and password hashes from a file." },
);
