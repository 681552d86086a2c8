// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
import {
  about,
  boolean,
  filePath,
  list,
  milliseconds,
  oneOf,
  optional,
  options,
  type SchemaOf,
  type Settled,
  seconds,
  secret,
  text,
} from "@wrenmq/plugin-api/options";
import { HMAC_ALGORITHMS, mistakeInKeys, PUBLIC_KEY_ALGORITHMS } from "./algorithms.ts";

export interface AuthJwtOptions {
  /** Decide who may connect. Default true. */
  readonly authenticate?: boolean;
  /** Decide by the token's topic claims who may use which topic. Default false. */
  readonly authorize?: boolean;
  /** Accepted algorithms; a token with another one is refused. */
  readonly algorithms: readonly string[];
  /** Shared secret of the HS algorithms. Exactly one of this, `publicKeyFile` and `jwksUrl` is given; the default is none. */
  readonly secretKey?: string;
  /** PEM file with a public key or a certificate, for the other algorithms. Default: none. */
  readonly publicKeyFile?: string;
  /** URL of a JSON Web Key Set, for the other algorithms. Default: none. [RFC 7517] */
  readonly jwksUrl?: string;
  /**
   * Claim that must be the client's user name, or becomes it when the client gives none. Default sub. Not read without
   * `authenticate`.
   */
  readonly userClaim?: string;
  /** Claim with the topic filters that the client may publish to. Default publish. */
  readonly publishClaim?: string;
  /** Claim with the topic filters that the client may subscribe to. Default subscribe. */
  readonly subscribeClaim?: string;
  /** Claim with the topic filters that the client may receive. Default receive. */
  readonly receiveClaim?: string;
  /** Required value of `iss`. Default: any. */
  readonly issuer?: string;
  /** Required value of `aud`. Default: any. */
  readonly audience?: string;
  /** Seconds that clocks may differ by. Default 0. */
  readonly clockToleranceSeconds?: number;
  /** Milliseconds for a request to `jwksUrl`. Default 5000. */
  readonly timeout?: number;
}

export const OPTIONS: SchemaOf<
  Settled<AuthJwtOptions, "secretKey" | "publicKeyFile" | "jwksUrl" | "issuer" | "audience">
> = options(
  {
    authenticate: about("Decide who may connect.", boolean({ default: true })),
    authorize: about("Decide who may use which topic.", boolean({ default: false })),
    secretKey: about("Shared secret of the HS algorithms.", optional(secret())),
    publicKeyFile: about("Public key of the RS, PS, ES and EdDSA algorithms: PEM.", optional(filePath())),
    jwksUrl: about("URL of the public keys, a JSON Web Key Set.", optional(text("a URL"))),
    algorithms: about(
      "Accepted algorithms; tokens with another one are refused.",
      list(oneOf([...HMAC_ALGORITHMS, ...PUBLIC_KEY_ALGORITHMS])),
    ),
    userClaim: about(
      "Claim that must be the user name; not read without `authenticate`.",
      text("a claim", { default: "sub" }),
    ),
    publishClaim: about("Claim with the filters to publish to.", text("a claim", { default: "publish" })),
    subscribeClaim: about("Claim with the filters to subscribe to.", text("a claim", { default: "subscribe" })),
    receiveClaim: about("Claim with the filters to receive.", text("a claim", { default: "receive" })),
    issuer: about("Required value of the claim `iss`.", optional(text())),
    audience: about("Required value of the claim `aud`.", optional(text())),
    clockToleranceSeconds: about("Difference of clocks that is accepted.", seconds({ default: 0 })),
    timeout: about("Time limit of a request to `jwks_url`.", milliseconds({ min: 1, default: 5000 })),
  },
  { doc: "The password is a JSON Web Token.", check: mistakeInKeys },
);
