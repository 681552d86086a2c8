// Says in words who may connect to a listener: the first thing to know about a broker that was just started.
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

export function whoMayConnect(listener: ListenerSection, { plugins }: WrenConfig): string {
  const { access } = listener;
  const asked = plugins.filter(({ name }) => access === "inherit" || access.includes(name));
  const groups = asked.flatMap((plugin) => groupOf(plugin) ?? []);
  if (groups.length === 0) return "nobody: no plugin lets clients in";
  return groups.join(", ");
}

function groupOf({ name, use, origin, options }: PluginSection): string | undefined {
  if (origin !== "built-in") return `whoever plugin "${name}" accepts`;
  if (use === "anonymous") {
    if (options["namedUsers"] === "allow") return "everyone, no password is asked";
    return options["allow"] === true ? "clients without a user name" : undefined;
  }
  return options["authenticate"] === false ? undefined : WORDS[use];
}
