// Plugin: users, passwords and topic filters from a database.
import { HashQueueFullError } from "@wrenmq/password-hash";
import {
  type Action,
  type Attempt,
  type ClientInfo,
  type Decision,
  definePlugin,
  type Identity,
  networkOf,
  type Plugin,
  PluginError,
  ReasonCode,
} from "@wrenmq/plugin-api";
import { decideByGrants } from "@wrenmq/plugin-api/grants";
import { checkDatabase, openDatabase } from "@wrenmq/sql-database";
import { type AuthSqlOptions, OPTIONS } from "./options.ts";
import { PasswordCheck } from "./password-check.ts";
import { createTables, type Tables } from "./tables.ts";
import { TopicListCache } from "./topic-lists.ts";

const no = (rule: string): Identity => ({ reasonCode: ReasonCode.NotAuthorized, rule });

export const authSql: (options: AuthSqlOptions) => Plugin = definePlugin({
  name: "auth-sql",
  config: OPTIONS,
  async check({ config: { connection, syncSchema } }) {
    const message = await checkDatabase(connection, { create: syncSchema });
    return message === undefined ? [] : [{ option: "connection", message }];
  },
  async hooks({ config, context }) {
    const opened = await openDatabase<Tables>(config.connection, {
      create: config.syncSchema,
      onError: (error) => context.logger.warn({ err: error }, "a database connection broke"),
    }).catch((cause: unknown) => {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new PluginError("ERR_PLUGIN_START", context.name, message, { cause });
    });
    if (config.syncSchema) await createTables(opened);
    const passwords = new PasswordCheck(opened.db, {
      schemes: config.hashSchemes,
      remember: config.rememberSeconds * 1000,
    });
    const topics = new TopicListCache(opened.db, config.cacheSeconds * 1000);

    async function authenticate(
      { username, remoteAddress }: ClientInfo,
      password: Uint8Array | undefined,
      attempt: Attempt,
    ): Promise<Identity> {
      if (username === undefined || username === "" || password === undefined)
        return no("a user name and a password are needed");
      try {
        const right = await passwords.check(username, password, { share: networkOf(remoteAddress) ?? "", attempt });
        if (!right) return no("user_auth: no such user and password");
      } catch (error) {
        if (error instanceof HashQueueFullError) return { reasonCode: ReasonCode.ServerBusy, rule: error.message };
        throw error;
      }
      return { reasonCode: ReasonCode.Success, rule: `user_auth: ${username}`, username };
    }

    async function authorize({ username }: ClientInfo, action: Action, topic: string): Promise<Decision> {
      if (username === undefined || username === "") return undefined;
      if (action === "publish" && topic.startsWith("$")) return no("clients may not publish to $ topics");
      const grants = await topics.get(username);
      if (grants === undefined) return no(`topic_auth has no user "${username}"`);
      return decideByGrants(grants, action, topic, `topic_auth.${username}`);
    }

    if (config.authorize && config.recheckSeconds > 0) {
      context.setInterval(() => context.rulesChanged(), config.recheckSeconds * 1000);
    }
    return {
      ...(config.authenticate && { authenticate }),
      ...(config.authorize && { authorize }),
      close: () => opened.db.destroy(),
    };
  },
});
