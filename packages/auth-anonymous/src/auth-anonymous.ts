// Lets clients in whose credentials nobody checks. Says of each that it is anonymous, so that rules for named users do
// not apply to somebody who only claims a name.
import { definePlugin, type Identity, type Plugin } from "@wrenmq/plugin-api";
import { boolean, options } from "@wrenmq/plugin-api/options";

export interface AuthAnonymousOptions {
  /** Let everybody in whom no other plugin refuses. Default true. */
  readonly allow?: boolean;
  /**
   * Believe the user name of a client though nobody checked a password, as aMQTT does; lets named clients in also
   * without `allow`. Default false.
   */
  readonly trustUserNames?: boolean;
}

const OPTIONS = options({ allow: boolean({ default: true }), trustUserNames: boolean({ default: false }) });

const ANONYMOUS: Identity = { reasonCode: 0, rule: "anonymous clients are allowed", attributes: { anonymous: true } };
const BELIEVED: Identity = { reasonCode: 0, rule: "user names are trusted" };

export const authAnonymous: (options?: AuthAnonymousOptions) => Plugin = definePlugin({
  name: "auth-anonymous",
  config: OPTIONS,
  hooks: ({ config }) => ({
    authenticate(client) {
      const named = client.username !== undefined && client.username !== "";
      if (named && config.trustUserNames) return BELIEVED;
      if (config.allow) return ANONYMOUS;
      return named
        ? undefined
        : { reasonCode: 0x87, rule: "anonymous clients are not allowed", reasonString: "A user name is needed" };
    },
  }),
});
