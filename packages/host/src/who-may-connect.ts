// Describes in words who may connect to a listener, for the first log lines of a broker.
import type { ListenerSection, PluginSection, WrenConfig } from "@wrenmq/config";

const EVERYONE = "everyone, no password is asked";

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

/** @param authenticators names of the plugins that authenticate its clients, from the running broker */
export function whoMayConnect(
  listener: ListenerSection,
  { plugins }: Pick<WrenConfig, "plugins">,
  authenticators: ReadonlyMap<string, readonly string[]>,
): string {
  const groups = groupsOf(plugins, authenticators.get(listener.name) ?? []);
  if (groups.length === 0) return "nobody: no plugin lets clients in";
  const certificate = neededCertificate(listener);
  if (certificate === undefined) return groups.join(", ");
  if (!groups.includes(EVERYONE)) return `${groups.join(", ")}; a client certificate of ${certificate} is needed`;
  const others = groups.filter((group) => group !== EVERYONE);
  return [`everyone with a client certificate of ${certificate}, no password is asked`, ...others].join(", ");
}

/** @param asked plugins of the configuration, and of a program that embeds the broker */
function groupsOf(plugins: readonly PluginSection[], asked: readonly string[]): string[] {
  const groups = plugins.filter(({ name }) => asked.includes(name)).flatMap((plugin) => groupOf(plugin) ?? []);
  const added = asked.filter((name) => !plugins.some((plugin) => plugin.name === name));
  return [...groups, ...added.map(acceptedBy)];
}

/** The authority whose certificates clients need before plugins are called; undefined: they need none. */
function neededCertificate({ tls }: ListenerSection): string | undefined {
  if (tls?.requireCertificate !== true) return undefined;
  const { caFile, caPath, caData } = tls;
  const text = caData === undefined ? undefined : "the authority in the configuration";
  return [caFile, caPath, text].filter((one) => one !== undefined).join(" or ");
}

const acceptedBy = (name: string): string => `whoever plugin "${name}" accepts`;

function groupOf({ name, use, origin, options }: PluginSection): string | undefined {
  if (origin !== "built-in") return acceptedBy(name);
  if (use === "anonymous") {
    if (options["namedUsers"] === "allow") return EVERYONE;
    return options["allow"] === true ? "clients without a user name" : undefined;
  }
  return options["authenticate"] === false ? undefined : WORDS[use];
}
