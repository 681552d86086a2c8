// Plugin: identifies a client by its TLS certificate, which the listener has requested and verified.
import { type ClientInfo, definePlugin, type Identity, type Plugin, ReasonCode } from "@wrenmq/plugin-api";
import { firstUri, identityOf } from "./identity-of.ts";
import { type AuthX509Options, OPTIONS } from "./options.ts";

const no = (rule: string): Identity => ({ reasonCode: ReasonCode.NotAuthorized, rule });

export const authX509: (options?: AuthX509Options) => Plugin = definePlugin({
  name: "auth-x509",
  config: OPTIONS,
  hooks({ config: { identity, uriDomain, required } }) {
    function bySpiffe({ clientId, certificate }: ClientInfo): Identity {
      const uri = certificate && firstUri(certificate);
      if (uri === undefined) return no("the certificate has no URI");
      if (clientId === "" || uri !== `spiffe://${uriDomain}/device/${clientId}`)
        return no(`${uri} is not this client's`);
      return { reasonCode: ReasonCode.Success, rule: uri };
    }
    return {
      authenticate(client) {
        const { certificate } = client;
        if (certificate === undefined) return required ? no("there is no client certificate") : undefined;
        if (identity === "spiffe") return bySpiffe(client);
        const username = identityOf(certificate, identity);
        if (username === undefined) return no(`the certificate has no usable ${identity}`);
        return { reasonCode: ReasonCode.Success, rule: `certificate of ${username}`, username };
      },
    };
  },
});
