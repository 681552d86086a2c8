// What the access plugins of a configuration decide, as their documentation says it: enough of it to compare the
// fixtures with what aMQTT itself did (upstream.json), without a broker.
import type { PluginSection, WrenConfig } from "../src/index.ts";

/** The tables of an ACL alone. */
export function rulesOf(plugins: readonly PluginSection[]): Record<string, unknown> {
  const { subscribe, publish, receive } = plugins.find((each) => each.use === "acl")?.options ?? {};
  return { subscribe, publish, receive };
}

export interface Client {
  readonly user?: string;
  readonly password?: string;
}

type Opinion = boolean | undefined;

/** The users of fixtures/passwd. */
const passwordOf = (user: string): string | undefined =>
  ({ test: "test", user1: "user1password", user2: "user2password", username1: "username1password" })[user];

function authenticate({ use, options }: PluginSection, { user, password }: Client): Opinion {
  if (use === "anonymous") {
    if (user === undefined) return options["allow"] === true;
    return options["namedUsers"] === "allow" ? true : undefined;
  }
  if (use === "password-file") {
    return user === undefined ? undefined : password !== undefined && passwordOf(user) === password;
  }
  return undefined;
}

/** At least one yes and no no. */
export function maySignIn(config: WrenConfig, client: Client): boolean {
  const opinions = config.plugins.map((plugin) => authenticate(plugin, client));
  return opinions.includes(true) && !opinions.includes(false);
}

function authorize({ use, options }: PluginSection, { user }: Client, filter: string): Opinion {
  if (use === "taboo") {
    return (options["exempt"] as string[]).includes(user ?? "") || !(options["topics"] as string[]).includes(filter);
  }
  if (use !== "acl") return undefined;
  const table = options["subscribe"] as Record<string, string[]> | undefined;
  return table === undefined || (table[user ?? "anonymous"] ?? []).some((rule) => contains(rule, filter));
}

export function maySubscribe(config: WrenConfig, client: Client, filter: string): boolean {
  return config.plugins.every((plugin) => authorize(plugin, client, filter) !== false);
}

function contains(rule: string, filter: string): boolean {
  const wanted = filter.split("/");
  const levels = rule.split("/");
  for (const [index, level] of levels.entries()) {
    if (level === "#") return true;
    const other = wanted[index];
    if (other === undefined || (level !== "+" && level !== other)) return false;
  }
  return levels.length === wanted.length;
}
