// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
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
   * `common-name`, `subject` or `san` (the first URI): becomes the user name. `spiffe`: the first URI must be
   * `spiffe://<uriDomain>/device/<client identifier>`. Default common-name.
   */
  readonly identity?: CertificateIdentity;
  /** Domain of the SPIFFE identifiers; needed with `spiffe`. Default: none. */
  readonly uriDomain?: string;
  /** Refuse clients without a certificate; false leaves them to other plugins. Default true. */
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
