// Plugin: a JSON Web Token as password identifies the client, until the token expires, and grants topics.
import {
  type Action,
  type ClientInfo,
  type Decision,
  definePlugin,
  type Identity,
  type Plugin,
  PluginError,
  ReasonCode,
} from "@wrenmq/plugin-api";
import { decideByGrants, type TopicGrants } from "@wrenmq/plugin-api/grants";
import { checkContents, reasonWith } from "@wrenmq/watched-file";
import { type AuthJwtOptions, OPTIONS } from "./options.ts";
import { publicKeyIn } from "./public-key.ts";
import { type Checked, tokenVerifier } from "./token-verifier.ts";

const SHORT_SECRET = 32;

export const authJwt: (options: AuthJwtOptions) => Plugin = definePlugin({
  name: "auth-jwt",
  config: OPTIONS,
  check: ({ config: { publicKeyFile, algorithms } }) =>
    publicKeyFile === undefined
      ? []
      : checkContents("publicKeyFile", publicKeyFile, (text) => publicKeyIn(text, algorithms)),
  async hooks({ config, context }) {
    const verify = await tokenVerifier(config).catch((cause: unknown) => {
      throw new PluginError("ERR_PLUGIN_START", context.name, reasonWith(cause, config.publicKeyFile ?? ""), { cause });
    });
    if (config.secretKey !== undefined && config.secretKey.length < SHORT_SECRET) {
      context.logger.warn({}, `secretKey is shorter than ${SHORT_SECRET} characters: it can be guessed from one token`);
    }
    /** The attribute with what the token grants, of this instance only. */
    const attribute = `auth-jwt:${context.name}`;

    async function authenticate(client: ClientInfo, password: Uint8Array | undefined): Promise<Identity | undefined> {
      if (password === undefined) return undefined;
      const checked = await verify(new TextDecoder().decode(password));
      if (!config.authenticate) {
        // Another plugin authenticates; only the topic claims of a valid token are used.
        if (checked.valid) client.attributes[attribute] = grantsOf(checked.claims, config);
        return undefined;
      }
      const identity = identityOf(checked, client.username, config.userClaim, config.clockToleranceSeconds);
      if (!config.authorize || !checked.valid || identity.reasonCode !== 0) return identity;
      return { ...identity, attributes: { [attribute]: grantsOf(checked.claims, config) } };
    }

    function authorize({ attributes }: ClientInfo, action: Action, topic: string): Decision {
      const grants = attributes[attribute];
      return grants === undefined ? undefined : decideByGrants(grants as TopicGrants, action, topic, "token");
    }

    return {
      ...((config.authenticate || config.authorize) && { authenticate }),
      ...(config.authorize && { authorize }),
    };
  },
});

function identityOf(checked: Checked, username: string | undefined, userClaim: string, tolerance: number): Identity {
  if (!checked.valid)
    return { reasonCode: ReasonCode.NotAuthorized, rule: `the token is not valid: ${checked.reason}` };
  const { claims } = checked;
  const user = claims[userClaim];
  if (typeof user !== "string" || user === "")
    return { reasonCode: ReasonCode.NotAuthorized, rule: `the token has no claim "${userClaim}"` };
  if (username !== undefined && username !== "" && username !== user) {
    return { reasonCode: ReasonCode.NotAuthorized, rule: `the token's claim "${userClaim}" is not the user name` };
  }
  const expiresAt = claims.exp === undefined ? undefined : (claims.exp + tolerance) * 1000;
  return { reasonCode: ReasonCode.Success, rule: `a valid token of "${user}"`, username: user, expiresAt };
}

function grantsOf(
  claims: Readonly<Record<string, unknown>>,
  names: { readonly publishClaim: string; readonly subscribeClaim: string; readonly receiveClaim: string },
): TopicGrants {
  const filters = (name: string): readonly string[] | undefined => {
    const claim = claims[name];
    return Array.isArray(claim) ? claim.filter((one): one is string => typeof one === "string") : undefined;
  };
  return {
    publish: filters(names.publishClaim),
    subscribe: filters(names.subscribeClaim),
    receive: filters(names.receiveClaim),
  };
}
