// Plugin: admits clients without checking credentials.
import { definePlugin, type Identity, type Plugin, ReasonCode } from "@wrenmq/plugin-api";
import { type AuthAnonymousOptions, OPTIONS } from "./options.ts";

const ANONYMOUS: Identity = {
  reasonCode: ReasonCode.Success,
  rule: "clients without a user name may enter",
  attributes: { anonymous: true },
};
const REFUSED: Identity = {
  reasonCode: ReasonCode.NotAuthorized,
  rule: "clients without a user name may not enter",
  reasonString: "A user name is needed",
};
const BELIEVED: Identity = { reasonCode: ReasonCode.Success, rule: "user names are believed" };

export const authAnonymous: (options?: AuthAnonymousOptions) => Plugin = definePlugin({
  name: "auth-anonymous",
  config: OPTIONS,
  hooks: ({ config: { allow, namedUsers } }) => ({
    authenticate({ username }) {
      if (username === undefined || username === "") return allow ? ANONYMOUS : REFUSED;
      return namedUsers === "allow" ? BELIEVED : undefined;
    },
  }),
});
