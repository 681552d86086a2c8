// Users, passwords and topic rules from a database.
import {
  type Action,
  type ClientInfo,
  type Decision,
  definePlugin,
  type Identity,
  type Plugin,
  PluginError,
} from "@wrenmq/plugin-api";
import { decideByGrants } from "@wrenmq/plugin-api/grants";
import { boolean, list, number, oneOf, options, text, withDefault } from "@wrenmq/plugin-api/options";
import { openDatabase } from "@wrenmq/sql-database";
import { HASH_SCHEMES, type SqlHashScheme } from "./hash-schemes.ts";
import { PasswordCheck } from "./password-check.ts";
import { createTables, type Tables } from "./tables.ts";
import { TopicListCache } from "./topic-lists.ts";

export interface AuthSqlOptions {
  /** `sqlite:///file.db`, `postgresql://user:password@host/db` or `mysql://…`; see `@wrenmq/sql-database`. */
  readonly connection: string;
  /** Decide who may connect. Default true. */
  readonly authenticate?: boolean;
  /** Decide who may use which topic. Default false. */
  readonly authorize?: boolean;
  /** Make the tables if they are not there. Default false. */
  readonly syncSchema?: boolean;
  /** Accepted password hashes; who logs in with another than the first gets a new one of the first. Default argon2, bcrypt. */
  readonly hashSchemes?: readonly SqlHashScheme[];
  /** Seconds that a user's topics are kept. Default 10. */
  readonly cacheSeconds?: number;
  /** Seconds after which the topics of connected clients are looked up again; 0 never. Default 300. */
  readonly recheckSeconds?: number;
}

const OPTIONS = options({
  connection: text(),
  authenticate: boolean({ default: true }),
  authorize: boolean({ default: false }),
  syncSchema: boolean({ default: false }),
  hashSchemes: withDefault(list(oneOf(HASH_SCHEMES)), ["argon2", "bcrypt"]),
  cacheSeconds: number({ min: 0, default: 10 }),
  recheckSeconds: number({ min: 0, default: 300 }),
});

const no = (rule: string): Identity => ({ reasonCode: 0x87, rule });

export const authSql: (options: AuthSqlOptions) => Plugin = definePlugin({
  name: "auth-sql",
  config: OPTIONS,
  async hooks({ config, context }) {
    const opened = await openDatabase<Tables>(config.connection, {
      onError: (error) => context.logger.warn({ err: error }, "a database connection broke"),
    }).catch((cause: unknown) => {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new PluginError("ERR_PLUGIN_START", context.name, message, { cause });
    });
    if (config.syncSchema) await createTables(opened);
    const passwords = new PasswordCheck(opened.db, config.hashSchemes);
    const topics = new TopicListCache(opened.db, config.cacheSeconds * 1000);

    async function authenticate({ username }: ClientInfo, password: Uint8Array | undefined): Promise<Identity> {
      if (username === undefined || username === "" || password === undefined)
        return no("a user name and a password are needed");
      if (!(await passwords.check(username, password))) return no("user_auth: no such user and password");
      return { reasonCode: 0, rule: `user_auth: ${username}`, username };
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
      brokerStopped: () => {
        opened.db.destroy().catch((error: unknown) => context.logger.warn({ err: error }, "database not closed"));
      },
    };
  },
});
