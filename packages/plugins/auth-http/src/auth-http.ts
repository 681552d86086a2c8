// Asks an HTTP service who may enter, and who may use which topic.
import {
  type Action,
  type ClientInfo,
  type Decision,
  definePlugin,
  type Identity,
  type Plugin,
} from "@wrenmq/plugin-api";
import { boolean, number, oneOf, optional, options, string, text } from "@wrenmq/plugin-api/options";
import { readAnswer } from "./answer.ts";
import { AnswerCache } from "./answer-cache.ts";
import { type QuestionParams, Requester } from "./requester.ts";

export interface AuthHttpOptions {
  /** Decide who may connect. Default true. */
  readonly authenticate?: boolean;
  /** Decide who may use which topic. Default false. */
  readonly authorize?: boolean;
  readonly host: string;
  readonly port: number;
  /** Default false. */
  readonly withTls?: boolean;
  /** Default get. */
  readonly requestMethod?: "get" | "post" | "put";
  /** A JSON body, or a form: in the query of a GET, else in the body. Default json. */
  readonly paramsMode?: "json" | "form";
  /** Default json. */
  readonly responseMode?: "status" | "json" | "text";
  /** Default wrenmq. */
  readonly userAgent?: string;
  /** Path that is asked with username, password and client_id. Default /user. */
  readonly userUri?: string;
  /** Path that is asked with username, client_id, topic and acc, a number: 1 receive, 2 publish, 4 subscribe. Default /acl. */
  readonly topicUri?: string;
  /** Path that is asked with username: who gets a yes may use every topic. */
  readonly superuserUri?: string;
  /** Milliseconds that an answer may take; later the client is refused. Default 5000. */
  readonly timeoutMs?: number;
  /** Seconds that an answer is kept. Default 30; 0 keeps none. */
  readonly cacheSeconds?: number;
  /** Seconds after which connected clients are asked about again; 0 never. Default 300. */
  readonly recheckSeconds?: number;
}

const OPTIONS = options({
  authenticate: boolean({ default: true }),
  authorize: boolean({ default: false }),
  host: text(),
  port: number({ min: 1, max: 65_535, integer: true }),
  withTls: boolean({ default: false }),
  requestMethod: oneOf(["get", "post", "put"], { default: "get" }),
  paramsMode: oneOf(["json", "form"], { default: "json" }),
  responseMode: oneOf(["status", "json", "text"], { default: "json" }),
  userAgent: string({ default: "wrenmq" }),
  userUri: string({ default: "/user" }),
  topicUri: string({ default: "/acl" }),
  superuserUri: optional(text()),
  timeoutMs: number({ min: 1, default: 5000 }),
  cacheSeconds: number({ min: 0, default: 30 }),
  recheckSeconds: number({ min: 0, default: 300 }),
});

/** aMQTT's numbers; Mosquitto's plugins use the same. */
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
      return answer ? { reasonCode: 0, rule, username } : { reasonCode: 0x87, rule };
    }

    async function authorize(client: ClientInfo, action: Action, topic: string): Promise<Decision> {
      const { username = "", clientId } = client;
      if (superuserUri !== undefined && username !== "" && (await ask(superuserUri, { username })) === true) {
        return { reasonCode: 0, rule: `${superuserUri} says yes` };
      }
      const answer = await ask(topicUri, { username, client_id: clientId, topic, acc: ACCESS[action] });
      if (answer === undefined) return undefined;
      return { reasonCode: answer ? 0 : 0x87, rule: `${topicUri} says ${answer ? "yes" : "no"}` };
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
