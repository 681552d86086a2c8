// The options of this plugin: the one place that knows them. The configuration file's keys, the JSON Schema and the tables
// of the documentation are made from it.
import {
  about,
  boolean,
  oneOf,
  optional,
  options,
  type SchemaOf,
  type Settled,
  text,
} from "@wrenmq/plugin-api/options";
import type { CertificateIdentity } from "./identity-of.ts";

export interface AuthX509Options {
  /**
   * `common-name` (default), `subject` or `san` (the first URI): becomes the user name. `spiffe`: the first URI must be
   * `spiffe://<uriDomain>/device/<client identifier>`.
   */
  readonly identity?: CertificateIdentity;
  /** Domain of `spiffe`. */
  readonly uriDomain?: string;
  /** Refuse clients without a certificate (default), or leave them to other plugins. */
  readonly required?: boolean;
}

export const OPTIONS: SchemaOf<Settled<AuthX509Options, "uriDomain">> = options(
  {
    identity: about(
      "Part of the certificate that names the client; `spiffe`: a URI `spiffe://<uri_domain>/device/<client id>`.",
      oneOf(["common-name", "subject", "san", "spiffe"], { default: "common-name" }),
    ),
    uriDomain: about("Domain of `spiffe`.", optional(text("a domain"))),
    required: about(
      "Refuse clients without a certificate; `false` leaves them to other plugins.",
      boolean({ default: true }),
    ),
  },
  {
    doc: "The client certificate decides.",
    check: ({ identity, uriDomain }) =>
      identity === "spiffe" && uriDomain === undefined
        ? "uriDomain: missing: identity spiffe needs it, expected a domain"
        : undefined,
  },
);
