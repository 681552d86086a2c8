// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
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
  /** Base of the search for users. */
  readonly baseDn: string;
  /** Attribute with the user name. */
  readonly userAttribute: string;
  /** Distinguished name with which users are searched. */
  readonly bindDn: string;
  readonly bindPassword: string;
  /** Decide who may connect. Default true. */
  readonly authenticate?: boolean;
  /** Decide who may use which topic. Default false. */
  readonly authorize?: boolean;
  /** Attribute with the topic filters that a user may publish to. Default: none; this plugin does not decide about publishing. */
  readonly publishAttribute?: string;
  /** Attribute with the topic filters that a user may subscribe to. Default: none; this plugin does not decide about it. */
  readonly subscribeAttribute?: string;
  /** Attribute with the topic filters that a user may receive. Default: none; this plugin does not decide about it. */
  readonly receiveAttribute?: string;
  /** Encrypt an `ldap://` connection before credentials are sent. Default false. */
  readonly startTls?: boolean;
  /** PEM file with the certificate authority of the server. Default: those of Node. */
  readonly caFile?: string;
  /** Milliseconds for each answer of the directory. Default 5000. */
  readonly timeout?: number;
  /** Seconds that a user's topic filters are cached. Default 10. */
  readonly cacheSeconds?: number;
  /**
   * Seconds after which the topic filters of connected clients are read again; 0 never reads them again. Default 300.
   */
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
    baseDn: about("Base of the search for users.", text("a distinguished name")),
    userAttribute: about("Attribute with the user name.", attribute),
    bindDn: about("Distinguished name with which users are searched.", text("a distinguished name")),
    bindPassword: about("Its password.", secret()),
    publishAttribute: about("Attribute with the filters to publish to.", optional(attribute)),
    subscribeAttribute: about("Attribute with the filters to subscribe to.", optional(attribute)),
    receiveAttribute: about("Attribute with the filters to receive.", optional(attribute)),
    startTls: about("Encrypt an `ldap://` connection with StartTLS.", boolean({ default: false })),
    caFile: about("Authority of the directory's certificate: PEM.", optional(filePath())),
    timeout: about("How long an answer may take.", milliseconds({ min: 1, default: 5000 })),
    cacheSeconds: about("Time that an answer is cached; `0s` caches none.", seconds({ default: 10 })),
    recheckSeconds: about(
      "Time after which connected clients are checked again; `0s` never checks.",
      seconds({ default: 300 }),
    ),
  },
  { doc: "An LDAP directory decides." },
);
