// Plugin: device shadows on `$shadow/<device>/<name>/…`: the service, and the rules who may use which shadow.
import {
  type Action,
  type ClientInfo,
  type Decision,
  definePlugin,
  type Plugin,
  type PluginContext,
  PluginError,
  ReasonCode,
} from "@wrenmq/plugin-api";
import { covers, plainFilter } from "@wrenmq/plugin-api/grants";
import { checkDatabase } from "@wrenmq/sql-database";
import { OPTIONS, type PluginShadowsOptions } from "./options.ts";
import { parseShadowTopic, ShadowService } from "./shadow-service.ts";
import { retainedStore, type ShadowStore } from "./shadow-store.ts";
import { sqlStore } from "./sql-store.ts";

const PREFIX = "$shadow/";

export const pluginShadows: (options?: PluginShadowsOptions) => Plugin = definePlugin({
  name: "shadows",
  config: OPTIONS,
  async check({ config: { serve, connection } }) {
    const message = serve && connection !== undefined ? await checkDatabase(connection) : undefined;
    return message === undefined ? [] : [{ option: "connection", message }];
  },
  async hooks({ config, context }) {
    const superusers = new Set(config.superusers);
    const authorize = (client: ClientInfo, action: Action, topic: string) => decide(superusers, client, action, topic);
    if (!config.serve) return config.authorize ? { authorize } : {};

    const store = await openStore(config.connection, config.keepVersions, context).catch((cause: unknown) => {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new PluginError("ERR_PLUGIN_START", context.name, message, { cause });
    });
    const service = new ShadowService(context, store, config.maxBytes);
    return {
      ...(config.authorize && { authorize }),
      dollarTopics: [`${PREFIX}#`],
      // Only the service publishes answers and documents; clients would believe a forged one.
      publish(_client, message) {
        if (!message.topic.startsWith(PREFIX)) return undefined;
        if (parseShadowTopic(message.topic) === undefined) {
          return {
            reasonCode: ReasonCode.NotAuthorized,
            rule: "on shadow topics clients may only publish get and update",
          };
        }
        return message.retain ? { ...message, retain: false } : undefined;
      },
      published(client, message) {
        const topic = client === undefined ? undefined : parseShadowTopic(message.topic);
        if (topic !== undefined) void service.handle(topic, message.payload);
      },
      async close() {
        await service.settled();
        await store.close();
      },
    };
  },
});

function openStore(
  connection: string | undefined,
  keepVersions: number | undefined,
  context: PluginContext,
): Promise<ShadowStore> {
  if (connection === undefined) return Promise.resolve(retainedStore(context));
  const { logger } = context;
  return sqlStore({
    connection,
    keepVersions,
    warn: (message) => logger.warn({}, message),
    onError: (error) => logger.warn({ err: error }, "a database connection broke"),
  });
}

/** No opinion about other topics. */
function decide(superusers: ReadonlySet<string>, client: ClientInfo, action: Action, requested: string): Decision {
  const topic = plainFilter(action, requested);
  if (topic === undefined || (!topic.startsWith(PREFIX) && topic !== "$shadow")) return undefined;
  const { username } = client;
  if (username === undefined || username === "" || client.attributes["anonymous"] === true) {
    return { reasonCode: ReasonCode.NotAuthorized, rule: "shadows need a user name" };
  }
  if (superusers.has(username)) return { reasonCode: ReasonCode.Success, rule: `${username} is a superuser` };
  const own = `${PREFIX}${username}/#`;
  const allowed = !/[+#/]/.test(username) && covers(own, action, topic);
  return { reasonCode: allowed ? ReasonCode.Success : ReasonCode.NotAuthorized, rule: `${username} may use ${own}` };
}
