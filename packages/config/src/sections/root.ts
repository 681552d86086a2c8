// The native file as a whole: its sections, and the defaults for missing ones.
import { availableParallelism } from "node:os";
import { listOf } from "../description/collections.ts";
import { duration } from "../description/quantities.ts";
import { choice, flag, integer, text } from "../description/scalars.ts";
import { type Section, section } from "../description/section.ts";
import type { ValueType } from "../description/value-type.ts";
import type { Problems } from "../diagnostic.ts";
import { lookUp, type SourceNode } from "../source-node.ts";
import type { ListenerSection, PluginSection, WrenConfig } from "../wren-config.ts";
import { adminSection, checkAdmin } from "./admin.ts";
import { checkCluster, clusterSection } from "./cluster.ts";
import { limitsSection } from "./limits.ts";
import { listenersSection } from "./listeners.ts";
import { keepAliveSection, logSection, sessionSection, sharedSection, sysSection } from "./operation.ts";
import { pluginsSection } from "./plugins.ts";
import { storeSection } from "./store.ts";

/** Version of the native format, the value of the top-level key `wrenmq`. */
export const FORMAT_VERSION = 1 as const;

interface NativeFile extends Omit<WrenConfig, "source" | "folder" | "listeners" | "plugins"> {
  wrenmq: 1;
  include: string[];
  listeners?: ListenerSection[];
  plugins?: PluginSection[];
}

const numberOfProcesses = integer(1, 1024);
const everyCore = choice(["auto"]);
const workersType: ValueType<number | "auto"> = {
  expected: "a whole number of processes, or auto",
  schema: { anyOf: [numberOfProcesses.schema, everyCore.schema] },
  read: (node, problems) =>
    (node.kind === "scalar" && typeof node.value === "number" ? numberOfProcesses : everyCore).read(node, problems),
  write: (value) => value,
};

export const rootSection: Section<NativeFile> = section<NativeFile>("Configuration of WrenMQ.", {
  wrenmq: {
    doc: "Version of this format. Optional; with it the file is never read as an aMQTT file.",
    type: choice([FORMAT_VERSION]),
    default: FORMAT_VERSION,
  },
  include: {
    doc: "Files that are read first; keys of this file override theirs. Only in files.",
    type: listOf(text("the path of a file"), "a list of files"),
    default: [],
  },
  listeners: { doc: "Where clients connect, by name.", type: listenersSection },
  plugins: { doc: "Plugins, by name.", type: pluginsSection },
  limits: { doc: limitsSection.doc, type: limitsSection, default: limitsSection.defaults() },
  store: { doc: storeSection.doc, type: storeSection, default: storeSection.defaults() },
  session: { doc: sessionSection.doc, type: sessionSection, default: sessionSection.defaults() },
  keepAlive: { doc: keepAliveSection.doc, type: keepAliveSection, default: keepAliveSection.defaults() },
  shared: {
    key: "shared_subscriptions",
    doc: sharedSection.doc,
    type: sharedSection,
    default: sharedSection.defaults(),
  },
  dollarTopics: {
    doc: "`refuse`: clients may not publish to topics that begin with `$`, but to those that plugins such as `shadows` answer. `$SYS/` is the server's own in any case.",
    type: choice(["allow", "refuse"]),
    default: "allow",
  },
  pluginTimeout: {
    key: "plugin_timeout",
    doc: "How long a plugin may take to answer; no answer is a refusal.",
    type: duration("ms", { positive: true }),
    default: 10_000,
  },
  sys: { doc: sysSection.doc, type: sysSection, default: sysSection.defaults() },
  log: { doc: logSection.doc, type: logSection, default: logSection.defaults() },
  admin: { doc: adminSection.doc, type: adminSection, default: adminSection.defaults() },
  cluster: { doc: clusterSection.doc, type: clusterSection },
  workers: { doc: `Processes that serve connections; \`auto\`: one per core.`, type: workersType, default: 1 },
  warmUp: {
    doc: "Compile the code that the first clients need before they connect: about 0.25 s of CPU after the start.",
    type: flag,
    default: true,
  },
});

/** The listener without a file, or without `listeners`: this machine only. */
const localListener: ListenerSection = {
  name: "default",
  type: "tcp",
  // Both loopback addresses, where there is IPv6: clients resolve this name to either.
  host: "localhost",
  port: 1883,
  maxConnections: 0,
  proxyProtocol: false,
  trustedProxies: [],
  origins: [],
  access: "inherit",
  limits: {},
};
const everyoneIsWelcome: PluginSection = {
  name: "anonymous",
  use: "anonymous",
  origin: "built-in",
  options: { allow: true, namedUsers: "allow" },
};

/** Plugins that can admit a client; others only restrict or observe. */
const AUTHENTICATES = new Set(["anonymous", "password-file", "x509", "scram", "token"]);
const MAY_AUTHENTICATE = new Set(["jwt", "http", "ldap", "sql"]);

export function canAuthenticate(plugin: PluginSection): boolean {
  if (plugin.origin !== "built-in" || AUTHENTICATES.has(plugin.use)) return true;
  return MAY_AUTHENTICATE.has(plugin.use) && plugin.options["authenticate"] === true;
}

/** Reads a native tree. After errors the result has what could be read; undefined: it is not a mapping. */
export function readNative(node: SourceNode, problems: Problems): WrenConfig | undefined {
  const file = rootSection.read(node, problems);
  if (!file) return undefined;
  const { wrenmq: _version, include: _include, listeners, plugins, ...rest } = file;
  // All clients are admitted only if nothing was configured and only this machine can reach the broker.
  const nothingSaid = listeners === undefined && plugins === undefined;
  const config: WrenConfig = {
    listeners: listeners ?? [structuredClone(localListener)],
    ...rest,
    plugins: plugins ?? (nothingSaid ? [structuredClone(everyoneIsWelcome)] : []),
  };
  checkAdmin(config.admin, node, problems);
  checkCluster(config, node, problems);
  checkAccess(config, node, problems);
  return config;
}

function checkAccess(config: WrenConfig, node: SourceNode, problems: Problems): void {
  const plugins = new Map(config.plugins.map((plugin) => [plugin.name, plugin]));
  // A plugin with an error in its options counts as present, although it is unknown what it does.
  const written = lookUp(node, "plugins");
  const names = new Set([...plugins.keys(), ...(written?.kind === "map" ? written.entries.map(({ key }) => key) : [])]);
  if (names.size === plugins.size && !config.plugins.some(canAuthenticate)) {
    const place = { ...(lookUp(node, "plugins") ?? node).place, key: "plugins" };
    problems.warn(place, "no plugin lets anybody in: every client will be refused (add, for example, anonymous)");
  }
  for (const listener of config.listeners) {
    if (listener.access === "inherit") continue;
    const own = lookUp(lookUp(lookUp(node, "listeners"), listener.name), "access");
    const chain = listener.access.map((name) => plugins.get(name)).filter((plugin) => plugin !== undefined);
    if (chain.length === listener.access.length && !chain.some(canAuthenticate)) {
      problems.warn((own ?? node).place, "none of these plugins lets anybody in: every client will be refused here");
    }
    for (const [index, name] of listener.access.entries()) {
      if (names.has(name)) continue;
      const item = own?.kind === "list" ? own.items[index] : undefined;
      const known = [...names].join(", ") || "(none)";
      problems.error((item ?? own ?? node).place, `no plugin of the name "${name}"; there are ${known}`);
    }
  }
}

/** The number of processes that `workers` means on this machine. */
export const workerCount = (workers: WrenConfig["workers"]): number =>
  workers === "auto" ? availableParallelism() : workers;
