// The options of this plugin: the one place that knows them. The configuration file's keys, the JSON Schema and the tables
// of the documentation are made from it.
import {
  about,
  boolean,
  custom,
  filePath,
  milliseconds,
  type Option,
  optional,
  options,
  type SchemaOf,
  type Settled,
  seconds,
  secret,
  text,
} from "@wrenmq/plugin-api/options";

export interface AuthLdapOptions {
  /** `ldap://host:389` or `ldaps://host`. */
  readonly server: string;
  /** Where users are. */
  readonly baseDn: string;
  /** Attribute with the user name. */
  readonly userAttribute: string;
  /** Who looks users up, and their password. */
  readonly bindDn: string;
  readonly bindPassword: string;
  /** Decide who may connect. Default true. */
  readonly authenticate?: boolean;
  /** Decide who may use which topic. Default false. */
  readonly authorize?: boolean;
  /** Attributes with the topic filters of each action; an action without is not decided here. */
  readonly publishAttribute?: string;
  readonly subscribeAttribute?: string;
  readonly receiveAttribute?: string;
  /** Encrypt an `ldap://` connection before anything is said. Default false. */
  readonly startTls?: boolean;
  /** PEM file with the certificate authority of the server. */
  readonly caFile?: string;
  /** Milliseconds for each answer of the directory. Default 5000. */
  readonly timeoutMs?: number;
  /** Seconds that a user's topics are kept. Default 10. */
  readonly cacheSeconds?: number;
  /** Seconds after which the topics of connected clients are looked up again; 0 never. Default 300. */
  readonly recheckSeconds?: number;
}

const attribute: Option<string, string, true> = custom("an attribute", (value) =>
  typeof value === "string" && /^[A-Za-z][A-Za-z0-9-]*$/.test(value) ? value : undefined,
);
const url: Option<string, string, true> = custom("a URL with ldap:// or ldaps://", (value) =>
  typeof value === "string" && /^ldaps?:\/\/./.test(value) ? value : undefined,
);

export const OPTIONS: SchemaOf<
  Settled<AuthLdapOptions, "publishAttribute" | "subscribeAttribute" | "receiveAttribute" | "caFile">
> = options(
  {
    authenticate: about("Decide who may connect.", boolean({ default: true })),
    authorize: about("Decide who may use which topic.", boolean({ default: false })),
    server: about("`ldap://host:389` or `ldaps://host`.", url),
    baseDn: about("Where users are.", text("a distinguished name")),
    userAttribute: about("Attribute with the user name.", attribute),
    bindDn: about("Who looks users up.", text("a distinguished name")),
    bindPassword: about("Their password.", secret()),
    publishAttribute: about("Attribute with the filters to publish to.", optional(attribute)),
    subscribeAttribute: about("Attribute with the filters to subscribe to.", optional(attribute)),
    receiveAttribute: about("Attribute with the filters to be sent.", optional(attribute)),
    startTls: about("Encrypt a connection that began as `ldap://`.", boolean({ default: false })),
    caFile: about("Authority of the directory's certificate: PEM.", optional(filePath())),
    timeoutMs: about("How long an answer may take.", milliseconds({ min: 1, default: 5000 })),
    cacheSeconds: about("How long an answer is kept; `0s` keeps none.", seconds({ default: 10 })),
    recheckSeconds: about(
      "Time after which connected clients are asked about again; `0s` never.",
      seconds({ default: 300 }),
    ),
  },
  { doc: "A directory decides." },
);
