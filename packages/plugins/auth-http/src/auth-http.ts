// Plugin: asks an HTTP service who may connect, and who may use which topic.
import {
  type Action,
  type ClientInfo,
  type Decision,
  definePlugin,
  type Identity,
  type Plugin,
  ReasonCode,
} from "@wrenmq/plugin-api";
import { readAnswer } from "./answer.ts";
import { AnswerCache } from "./answer-cache.ts";
import { type AuthHttpOptions, OPTIONS } from "./options.ts";
import { type QuestionParams, Requester } from "./requester.ts";

/** The numbers of aMQTT and of Mosquitto's plugins. */
const ACCESS: Readonly<Record<Action, number>> = { receive: 1, publish: 2, subscribe: 4 };

export const authHttp: (options: AuthHttpOptions) => Plugin = definePlugin({
  name: "auth-http",
  config: OPTIONS,
  hooks({ config, context }) {
    const { userUri, topicUri, superuserUri, responseMode } = config;
    const requester = new Requester(config);
    const cache = new AnswerCache(config.cacheSeconds * 1000);
    const ask = (path: string, params: QuestionParams): Promise<boolean | undefined> =>
      cache.get(path, params, async () => readAnswer(responseMode, await requester.ask(path, params)));

    async function authenticate(client: ClientInfo, password: Uint8Array | undefined): Promise<Identity | undefined> {
      if (client.username === undefined || password === undefined) return undefined;
      const { username, clientId } = client;
      const answer = await ask(userUri, {
        username,
        password: new TextDecoder().decode(password),
        client_id: clientId,
      });
      if (answer === undefined) return undefined;
      const rule = `${userUri} says ${answer ? "yes" : "no"}`;
      return answer
        ? { reasonCode: ReasonCode.Success, rule, username }
        : { reasonCode: ReasonCode.NotAuthorized, rule };
    }

    async function authorize(client: ClientInfo, action: Action, topic: string): Promise<Decision> {
      const { username = "", clientId } = client;
      if (superuserUri !== undefined && username !== "" && (await ask(superuserUri, { username })) === true) {
        return { reasonCode: ReasonCode.Success, rule: `${superuserUri} says yes` };
      }
      const answer = await ask(topicUri, { username, client_id: clientId, topic, acc: ACCESS[action] });
      if (answer === undefined) return undefined;
      return {
        reasonCode: answer ? ReasonCode.Success : ReasonCode.NotAuthorized,
        rule: `${topicUri} says ${answer ? "yes" : "no"}`,
      };
    }

    if (config.authorize && config.recheckSeconds > 0) {
      context.setInterval(() => context.rulesChanged(), config.recheckSeconds * 1000);
    }
    return {
      ...(config.authenticate && { authenticate }),
      ...(config.authorize && { authorize }),
      close: () => requester.close(),
    };
  },
});
