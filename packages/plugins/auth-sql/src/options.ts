// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
import {
  about,
  boolean,
  list,
  oneOf,
  options,
  type SchemaOf,
  type Settled,
  seconds,
  secretUrl,
  withDefault,
} from "@wrenmq/plugin-api/options";

export interface AuthSqlOptions {
  /** `sqlite:///file.db`, `postgresql://user:password@host/db` or `mysql://…`; see `@wrenmq/sql-database`. */
  readonly connection: string;
  /** Decide who may connect. Default true. */
  readonly authenticate?: boolean;
  /** Decide who may use which topic. Default false. */
  readonly authorize?: boolean;
  /** Create tables that do not exist. Default false. */
  readonly syncSchema?: boolean;
  /**
   * Accepted password hashes; a user who logs in with another scheme than the first gets a new hash of the first.
   * Default argon2, bcrypt.
   */
  readonly hashSchemes?: readonly SqlHashScheme[];
  /**
   * Seconds after a login during which the same user and password are accepted without computing the hash; 0 always
   * computes it. Default 300.
   */
  readonly rememberSeconds?: number;
  /** Seconds that a user's topic filters are cached. Default 10. */
  readonly cacheSeconds?: number;
  /**
   * Seconds after which the topic filters of connected clients are read again; 0 never reads them again. Default 300.
   */
  readonly recheckSeconds?: number;
}

/** The names of password hashes in aMQTT's options. */
export const HASH_SCHEMES = ["argon2", "bcrypt", "pbkdf2_sha256", "scrypt"] as const;
export type SqlHashScheme = (typeof HASH_SCHEMES)[number];

export const OPTIONS: SchemaOf<Settled<AuthSqlOptions>> = options(
  {
    authenticate: about("Decide who may connect.", boolean({ default: true })),
    authorize: about("Decide who may use which topic.", boolean({ default: false })),
    connection: about(
      "SQLite, PostgreSQL or MySQL.",
      secretUrl("a database URL such as sqlite:///auth.db or postgresql://user:password@host/db"),
    ),
    syncSchema: about("Create tables that do not exist.", boolean({ default: false })),
    hashSchemes: about(
      "Accepted password hashes; new ones use the first.",
      withDefault(list(oneOf(HASH_SCHEMES), "a list of hash schemes"), ["argon2", "bcrypt"]),
    ),
    rememberSeconds: about(
      "Time after a login during which the same user and password are accepted without computing the hash; `0s` always computes it.",
      seconds({ default: 300 }),
    ),
    cacheSeconds: about("Time that an answer is cached; `0s` caches none.", seconds({ default: 10 })),
    recheckSeconds: about(
      "Time after which connected clients are checked again; `0s` never checks.",
      seconds({ default: 300 }),
    ),
  },
  { doc: "Users and their topics from a database." },
);
