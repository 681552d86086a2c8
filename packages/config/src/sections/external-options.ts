// Options of the built-in plugins that ask a token, a directory, a database, a web service or a certificate.

import { listOf } from "../description/collections.ts";
import { duration, size } from "../description/quantities.ts";
import { choice, count, flag, integer, path, secret, secretUrl, text } from "../description/scalars.ts";
import { type Field, type Section, section } from "../description/section.ts";
import { below } from "../source-node.ts";
import { reloadInterval, rememberSeconds } from "./access-options.ts";

/** Which questions a plugin that could answer both is asked. */
interface Roles {
  authenticate: boolean;
  authorize: boolean;
}
/** How long answers count. */
interface Freshness {
  cacheSeconds: number;
  recheckSeconds: number;
}
export interface JwtOptions extends Roles {
  secretKey?: string;
  publicKeyFile?: string;
  jwksUrl?: string;
  algorithms: string[];
  userClaim: string;
  publishClaim: string;
  subscribeClaim: string;
  receiveClaim: string;
  issuer?: string;
  audience?: string;
  /** Seconds. */
  clockTolerance: number;
  timeoutMs: number;
}
export interface HttpOptions extends Roles, Freshness {
  host: string;
  port: number;
  withTls: boolean;
  requestMethod: "get" | "post" | "put";
  paramsMode: "json" | "form";
  responseMode: "status" | "json" | "text";
  userAgent: string;
  timeoutMs: number;
  userUri: string;
  topicUri: string;
  superuserUri?: string;
}
export interface LdapOptions extends Roles, Freshness {
  server: string;
  baseDn: string;
  userAttribute: string;
  bindDn: string;
  bindPassword: string;
  publishAttribute?: string;
  subscribeAttribute?: string;
  receiveAttribute?: string;
  startTls: boolean;
  caFile?: string;
  timeoutMs: number;
}
export interface SqlOptions extends Roles, Freshness {
  connection: string;
  syncSchema: boolean;
  hashSchemes: string[];
  /** Seconds. */
  rememberSeconds: number;
}
export interface X509Options {
  identity: "common-name" | "subject" | "san" | "spiffe";
  uriDomain?: string;
  required: boolean;
}
export interface ScramOptions {
  file: string;
  /** Seconds. */
  reloadInterval: number;
}
export interface TokenOptions extends ScramOptions {
  authorize: boolean;
}
export interface ShadowsOptions {
  serve: boolean;
  authorize: boolean;
  connection?: string;
  superusers: string[];
  maxBytes: number;
  keepVersions?: number;
}

const authenticate: Field<boolean> = { doc: "Decide who may connect.", type: flag, default: true };
const authorize: Field<boolean> = { doc: "Decide who may use which topic.", type: flag, default: false };
const timeoutMs: Field<number> = {
  key: "timeout",
  doc: "How long an answer may take.",
  type: duration("ms", { positive: true }),
  default: 5000,
};
const recheckSeconds: Field<number> = {
  key: "recheck",
  doc: "Time after which connected clients are asked about again; `0s` never.",
  type: duration("s"),
  default: 300,
};
const cacheFor = (seconds: number): Field<number> => ({
  key: "cache",
  doc: "How long an answer is kept; `0s` keeps none.",
  type: duration("s"),
  default: seconds,
});
const connection = secretUrl("a database URL such as sqlite:///auth.db or postgresql://user:password@host/db");

export const jwtOptions: Section<JwtOptions> = section<JwtOptions>("The password is a JSON Web Token.", {
  authenticate,
  authorize,
  secretKey: { doc: "Shared secret of the HS algorithms.", type: secret() },
  publicKeyFile: { doc: "Public key of the RS, PS, ES and EdDSA algorithms: PEM.", type: path() },
  jwksUrl: { doc: "Where the public keys are published.", type: text("a URL") },
  algorithms: {
    doc: "Accepted algorithms; tokens with another one are refused.",
    type: listOf(choice(["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"])),
    required: true,
  },
  userClaim: { doc: "Claim that has to be the user name.", type: text("a claim"), default: "sub" },
  publishClaim: { doc: "Claim with the filters to publish to.", type: text("a claim"), default: "publish" },
  subscribeClaim: { doc: "Claim with the filters to subscribe to.", type: text("a claim"), default: "subscribe" },
  receiveClaim: { doc: "Claim with the filters to be sent.", type: text("a claim"), default: "receive" },
  issuer: { doc: "What the claim `iss` has to be.", type: text() },
  audience: { doc: "What the claim `aud` has to be.", type: text() },
  clockTolerance: { doc: "How much clocks may differ.", type: duration("s"), default: 0 },
  timeoutMs: { ...timeoutMs, doc: "How long `jwks_url` may take." },
});

export const httpOptions: Section<HttpOptions> = section<HttpOptions>("A web service decides.", {
  authenticate,
  authorize,
  host: { doc: "Host of the service.", type: text("a host name"), required: true },
  port: { doc: "Its port.", type: integer(1, 65_535), required: true },
  withTls: { doc: "Use https.", type: flag, default: false },
  requestMethod: { doc: "HTTP method.", type: choice(["get", "post", "put"]), default: "get" },
  paramsMode: { doc: "How the question is sent.", type: choice(["json", "form"]), default: "json" },
  responseMode: {
    doc: "What is the answer: the status, the key `ok` of a JSON body, or the text `ok`.",
    type: choice(["status", "json", "text"]),
    default: "json",
  },
  userAgent: { doc: "User-Agent header.", type: text(), default: "wrenmq" },
  timeoutMs,
  userUri: { doc: "Path that is asked about users.", type: text("a path"), default: "/user" },
  topicUri: { doc: "Path that is asked about topics.", type: text("a path"), default: "/acl" },
  superuserUri: { doc: "Path that is asked whether a user may do everything.", type: text("a path") },
  cacheSeconds: cacheFor(30),
  recheckSeconds,
});

export const ldapOptions: Section<LdapOptions> = section<LdapOptions>("A directory decides.", {
  authenticate,
  authorize,
  server: { doc: "`ldap://host:389` or `ldaps://host`.", type: text("an LDAP URL"), required: true },
  baseDn: { doc: "Where users are.", type: text("a distinguished name"), required: true },
  userAttribute: { doc: "Attribute with the user name.", type: text("an attribute"), required: true },
  bindDn: { doc: "Who looks users up.", type: text("a distinguished name"), required: true },
  bindPassword: { doc: "Their password.", type: secret(), required: true },
  publishAttribute: { doc: "Attribute with the filters to publish to.", type: text("an attribute") },
  subscribeAttribute: { doc: "Attribute with the filters to subscribe to.", type: text("an attribute") },
  receiveAttribute: { doc: "Attribute with the filters to be sent.", type: text("an attribute") },
  startTls: { doc: "Encrypt a connection that began as `ldap://`.", type: flag, default: false },
  caFile: { doc: "Authority of the directory's certificate: PEM.", type: path() },
  timeoutMs,
  cacheSeconds: cacheFor(10),
  recheckSeconds,
});

export const sqlOptions: Section<SqlOptions> = section<SqlOptions>("Users and their topics from a database.", {
  authenticate,
  authorize,
  connection: { doc: "SQLite, PostgreSQL or MySQL.", type: connection, required: true },
  syncSchema: { doc: "Make the tables if they are not there.", type: flag, default: false },
  hashSchemes: {
    doc: "Accepted password hashes; new ones use the first.",
    type: listOf(choice(["argon2", "bcrypt", "pbkdf2_sha256", "scrypt"]), "a list of hash schemes"),
    default: ["argon2", "bcrypt"],
  },
  rememberSeconds,
  cacheSeconds: cacheFor(10),
  recheckSeconds,
});

const x509Fields: Section<X509Options> = section<X509Options>("The client certificate decides.", {
  identity: {
    doc: "Part of the certificate that names the client; `spiffe`: a URI `spiffe://<uri_domain>/device/<client id>`.",
    type: choice(["common-name", "subject", "san", "spiffe"]),
    default: "common-name",
  },
  uriDomain: { doc: "Domain of `spiffe`.", type: text("a domain") },
  required: {
    doc: "Refuse clients without a certificate; `false` leaves them to other plugins.",
    type: flag,
    default: true,
  },
});

export const x509Options: Section<X509Options> = {
  ...x509Fields,
  read(node, problems) {
    const options = x509Fields.read(node, problems);
    if (options?.identity !== "spiffe" || options.uriDomain !== undefined) return options;
    return problems.error(below(node.place, "uri_domain"), "missing: identity spiffe needs it", "a domain");
  },
};

export const scramOptions: Section<ScramOptions> = section<ScramOptions>(
  "SCRAM-SHA-256 through enhanced authentication (MQTT 5).",
  { file: { doc: "User names with their stored keys.", type: path(), required: true }, reloadInterval },
);

export const tokenOptions: Section<TokenOptions> = section<TokenOptions>("The password is a revocable token.", {
  file: { doc: "Hashed tokens.", type: path(), required: true },
  authorize: { doc: "Decide by the token's lists who may use which topic.", type: flag, default: true },
  reloadInterval,
});

export const shadowsOptions: Section<ShadowsOptions> = section<ShadowsOptions>("Device shadows under `$shadow/`.", {
  serve: { doc: "Answer on the shadow topics.", type: flag, default: true },
  authorize: { doc: "Let users use only `$shadow/<their name>/…`.", type: flag, default: false },
  connection: { doc: "Where shadows are kept; without it: in the broker's store.", type: connection },
  superusers: {
    doc: "Users who may use every shadow.",
    type: listOf(text("a user name"), "a list of user names"),
    default: [],
  },
  maxBytes: { doc: "Of a request, and of a shadow's state.", type: size({ minimum: 2 }), default: 8192 },
  keepVersions: {
    doc: "Versions of each shadow that a database keeps; 0: all. Without it 100, and all in a table of aMQTT's.",
    type: count,
  },
});
