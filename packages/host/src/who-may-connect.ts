// Who may connect to a listener, in words: the first thing to know about a broker that was just started.
import type { ListenerSection, PluginSection, WrenConfig } from "@wrenmq/config";

const WORDS: Readonly<Record<string, string>> = {
  "password-file": "users of the password file",
  jwt: "holders of a valid JSON Web Token",
  http: "users whom the web service accepts",
  ldap: "users of the directory",
  sql: "users of the database",
  x509: "clients with an accepted certificate",
  scram: "users of the SCRAM file",
  token: "holders of a valid token",
};

/** @param authenticators names of the plugins that say who may enter there, as the running broker knows them */
export function whoMayConnect(
  { access, name }: ListenerSection,
  { plugins }: Pick<WrenConfig, "plugins">,
  authenticators: ReadonlyMap<string, readonly string[]>,
): string {
  const asked = authenticators.get(name) ?? [];
  const configured = plugins.filter((plugin) => access === "inherit" || access.includes(plugin.name));
  const groups = configured.filter((plugin) => asked.includes(plugin.name)).flatMap((plugin) => groupOf(plugin) ?? []);
  const names = new Set(plugins.map((plugin) => plugin.name));
  const added = asked.filter((one) => !names.has(one)).map(acceptedBy);
  const all = [...groups, ...added];
  return all.length === 0 ? "nobody: no plugin lets clients in" : all.join(", ");
}

const acceptedBy = (name: string): string => `whoever plugin "${name}" accepts`;

function groupOf({ name, use, origin, options }: PluginSection): string | undefined {
  if (origin !== "built-in") return acceptedBy(name);
  if (use === "anonymous") {
    if (options["namedUsers"] === "allow") return "everyone, no password is asked";
    return options["allow"] === true ? "clients without a user name" : undefined;
  }
  return options["authenticate"] === false ? undefined : WORDS[use];
}
