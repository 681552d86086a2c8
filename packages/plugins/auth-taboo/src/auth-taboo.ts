// Plugin: topics that only a few users may use. The example of docs/plugins.md: a plugin with options, a decision about
// topics, and a rule that can be explained.
import { type Decision, definePlugin, type Plugin, ReasonCode } from "@wrenmq/plugin-api";
import { parseShared } from "@wrenmq/topics";
import { type AuthTabooOptions, OPTIONS } from "./options.ts";

export const authTaboo: (options?: AuthTabooOptions) => Plugin = definePlugin({
  name: "auth-taboo",
  config: OPTIONS,
  hooks({ config }) {
    const taboo = new Set(config.topics);
    const exempt = new Set(config.exempt);
    return {
      authorize({ username }, _action, topic): Decision {
        if (username !== undefined && exempt.has(username))
          return { reasonCode: ReasonCode.Success, rule: `user ${username} is exempt` };
        const shared = parseShared(topic);
        const plain = shared === undefined || shared === "invalid" ? topic : shared.filter;
        if (taboo.has(plain)) return { reasonCode: ReasonCode.NotAuthorized, rule: `${plain} is taboo` };
        return { reasonCode: ReasonCode.Success, rule: "not taboo" };
      },
    };
  },
});
