// A JSON Web Token as password: who the client is, until when, and which topics it may use.
import {
  type Action,
  type ClientInfo,
  type Decision,
  definePlugin,
  type Identity,
  type Plugin,
  PluginError,
} from "@wrenmq/plugin-api";
import { decideByGrants, type TopicGrants } from "@wrenmq/plugin-api/grants";
import { boolean, list, number, optional, options, string, text } from "@wrenmq/plugin-api/options";
import { mistakeInKeys } from "./algorithms.ts";
import { type Checked, tokenVerifier } from "./token-verifier.ts";

export interface AuthJwtOptions {
  /** Decide who may connect. Default true. */
  readonly authenticate?: boolean;
  /** Decide by the token's topic claims who may use which topic. Default false. */
  readonly authorize?: boolean;
  /** Accepted algorithms; a token with another one is refused. */
  readonly algorithms: readonly string[];
  /** Shared secret of the HS algorithms. */
  readonly secretKey?: string;
  /** PEM file with a public key or a certificate, for the other algorithms. */
  readonly publicKeyFile?: string;
  /** URL of a JSON Web Key Set. */
  readonly jwksUrl?: string;
  /**
   * Claim that must be the client's user name, or becomes it when the client gives none. Default sub. Not read without
   * `authenticate`.
   */
  readonly userClaim?: string;
  /** Claims with the topic filters of each action. Defaults: publish, subscribe, receive. */
  readonly publishClaim?: string;
  readonly subscribeClaim?: string;
  readonly receiveClaim?: string;
  /** Required values of `iss` and `aud`. */
  readonly issuer?: string;
  readonly audience?: string;
  /** Seconds that clocks may differ by. Default 0. */
  readonly clockTolerance?: number;
  /** Milliseconds for a request to `jwksUrl`. Default 5000. */
  readonly timeoutMs?: number;
}

const OPTIONS = options(
  {
    authenticate: boolean({ default: true }),
    authorize: boolean({ default: false }),
    algorithms: list(string()),
    secretKey: optional(text()),
    publicKeyFile: optional(text()),
    jwksUrl: optional(text()),
    userClaim: string({ default: "sub" }),
    publishClaim: string({ default: "publish" }),
    subscribeClaim: string({ default: "subscribe" }),
    receiveClaim: string({ default: "receive" }),
    issuer: optional(text()),
    audience: optional(text()),
    clockTolerance: number({ min: 0, default: 0 }),
    timeoutMs: number({ min: 1, default: 5000 }),
  },
  mistakeInKeys,
);

const SHORT_SECRET = 32;

export const authJwt: (options: AuthJwtOptions) => Plugin = definePlugin({
  name: "auth-jwt",
  config: OPTIONS,
  async hooks({ config, context }) {
    const verify = await tokenVerifier(config).catch((cause: unknown) => {
      throw new PluginError("ERR_PLUGIN_START", context.name, String(cause), { cause });
    });
    if (config.secretKey !== undefined && config.secretKey.length < SHORT_SECRET) {
      context.logger.warn({}, `secretKey is shorter than ${SHORT_SECRET} characters: it can be guessed from one token`);
    }
    /** The attribute that keeps what a token grants; of this instance alone. */
    const attribute = `auth-jwt:${context.name}`;

    async function authenticate(client: ClientInfo, password: Uint8Array | undefined): Promise<Identity | undefined> {
      if (password === undefined) return undefined;
      const checked = await verify(new TextDecoder().decode(password));
      if (!config.authenticate) {
        // Who the client is, another plugin decides; of a valid token only the topic claims are read.
        if (checked.valid) client.attributes[attribute] = grantsOf(checked.claims, config);
        return undefined;
      }
      const identity = identityOf(checked, client.username, config.userClaim, config.clockTolerance);
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
  if (!checked.valid) return { reasonCode: 0x87, rule: `the token is not valid: ${checked.reason}` };
  const { claims } = checked;
  const user = claims[userClaim];
  if (typeof user !== "string" || user === "")
    return { reasonCode: 0x87, rule: `the token has no claim "${userClaim}"` };
  if (username !== undefined && username !== "" && username !== user) {
    return { reasonCode: 0x87, rule: `the token's claim "${userClaim}" is not the user name` };
  }
  const expiresAt = claims.exp === undefined ? undefined : (claims.exp + tolerance) * 1000;
  return { reasonCode: 0, rule: `a valid token of "${user}"`, username: user, expiresAt };
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
