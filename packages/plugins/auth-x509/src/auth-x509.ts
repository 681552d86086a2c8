// Who a client is by its TLS certificate. The listener asks for the certificate and verifies it; here is only read what
// it says.
import { type ClientInfo, definePlugin, type Identity, type Plugin } from "@wrenmq/plugin-api";
import { boolean, oneOf, optional, options, text } from "@wrenmq/plugin-api/options";
import { type CertificateIdentity, firstUri, identityOf } from "./identity-of.ts";

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

const OPTIONS = options(
  {
    identity: oneOf(["common-name", "subject", "san", "spiffe"], { default: "common-name" }),
    uriDomain: optional(text()),
    required: boolean({ default: true }),
  },
  ({ identity, uriDomain }) =>
    identity === "spiffe" && uriDomain === undefined ? "uriDomain: is missing; spiffe needs it" : undefined,
);

const no = (rule: string): Identity => ({ reasonCode: 0x87, rule });

export const authX509: (options?: AuthX509Options) => Plugin = definePlugin({
  name: "auth-x509",
  config: OPTIONS,
  hooks({ config: { identity, uriDomain, required } }) {
    function bySpiffe({ clientId, certificate }: ClientInfo): Identity {
      const uri = certificate && firstUri(certificate);
      if (uri === undefined) return no("the certificate has no URI");
      if (clientId === "" || uri !== `spiffe://${uriDomain}/device/${clientId}`)
        return no(`${uri} is not this client's`);
      return { reasonCode: 0, rule: uri };
    }
    return {
      authenticate(client) {
        const { certificate } = client;
        if (certificate === undefined) return required ? no("there is no client certificate") : undefined;
        if (identity === "spiffe") return bySpiffe(client);
        const username = identityOf(certificate, identity);
        if (username === undefined) return no(`the certificate has no usable ${identity}`);
        return { reasonCode: 0, rule: `certificate of ${username}`, username };
      },
    };
  },
});
