// Reads a client's configuration file in aMQTT's format. Hyphens and underscores are the same; unknown keys are errors.
import { parseDocument } from "yaml";
import { readText } from "../at-file.ts";
import { CommandError } from "../errors.ts";

export interface ClientConfig {
  readonly keepAlive?: number;
  readonly defaultQos?: number;
  readonly defaultRetain?: boolean;
  readonly autoReconnect?: boolean;
  readonly connectionTimeout?: number;
  readonly reconnectRetries?: number;
  readonly reconnectMaxInterval?: number;
  readonly cleanSession?: boolean;
  readonly checkHostname?: boolean;
  readonly verifyCert?: boolean;
  /** QoS and retain flag of individual topics. */
  readonly topics: ReadonlyMap<string, { readonly qos?: number; readonly retain?: boolean }>;
  readonly connection: Partial<Record<"uri" | "cafile" | "capath" | "cadata" | "certfile" | "keyfile", string>>;
  readonly will?: { readonly topic: string; readonly message: string; readonly qos: number; readonly retain: boolean };
}

type Kind = "boolean" | "number" | "string" | "map" | "plugins";
type Table = Readonly<Record<string, Kind>>;

const ROOT: Table = {
  keep_alive: "number",
  ping_delay: "number",
  default_qos: "number",
  default_retain: "boolean",
  auto_reconnect: "boolean",
  connection_timeout: "number",
  connect_timeout: "number",
  reconnect_retries: "number",
  reconnect_max_interval: "number",
  cleansession: "boolean",
  check_hostname: "boolean",
  verify_cert: "boolean",
  topics: "map",
  broker: "map",
  connection: "map",
  will: "map",
  plugins: "plugins",
};
const CONNECTION: Table = {
  uri: "string",
  cafile: "string",
  capath: "string",
  cadata: "string",
  certfile: "string",
  keyfile: "string",
};
const TOPIC: Table = { qos: "number", retain: "boolean" };
/** aMQTT's packet log, which `--debug` prints. */
const PACKET_LOG = /(^|\.)(PacketLoggerPlugin|packet_logger_plugin)$/;
const WILL: Table = { topic: "string", message: "string", qos: "number", retain: "boolean" };

/** @throws CommandError naming file and key */
export function readClientConfig(file: string): ClientConfig {
  return clientConfig(readYaml(file), (message) => new CommandError(`${file}: ${message}`));
}

function readYaml(file: string): unknown {
  const document = parseDocument(readText(file), { version: "1.1", prettyErrors: true });
  const [problem] = document.errors;
  if (problem === undefined) return document.toJS();
  const { line, col } = problem.linePos?.[0] ?? {};
  const [what = ""] = problem.message.split(/ at line |\n/);
  throw new CommandError(`${file}:${line}:${col}: not valid YAML: ${what}`, { cause: problem });
}

type Fail = (message: string) => Error;

function clientConfig(given: unknown, fail: Fail): ClientConfig {
  const root = checked(given ?? {}, ROOT, "", fail);
  const topics = Object.entries((root["topics"] ?? {}) as object).map(
    ([topic, value]: [string, unknown]) => [topic, checked(value ?? {}, TOPIC, `topics.${topic}.`, fail)] as const,
  );
  const connection = checked(root["connection"] ?? root["broker"] ?? {}, CONNECTION, "connection.", fail);
  const will = root["will"] === undefined ? undefined : checked(root["will"], WILL, "will.", fail);
  if (will !== undefined && (will["topic"] === undefined || will["message"] === undefined)) {
    throw fail("will: needs topic and message");
  }
  const named = {
    keepAlive: root["keep_alive"],
    defaultQos: root["default_qos"],
    defaultRetain: root["default_retain"],
    autoReconnect: root["auto_reconnect"],
    connectionTimeout: root["connection_timeout"] ?? root["connect_timeout"],
    reconnectRetries: root["reconnect_retries"],
    reconnectMaxInterval: root["reconnect_max_interval"],
    cleanSession: root["cleansession"],
    checkHostname: root["check_hostname"],
    verifyCert: root["verify_cert"],
  };
  return {
    ...(Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)) as object),
    topics: new Map(topics),
    connection: connection as ClientConfig["connection"],
    ...(will === undefined ? {} : { will: { qos: 0, retain: false, ...will } as NonNullable<ClientConfig["will"]> }),
  };
}

/** Checks the keys and types of a mapping by a table. Keys are returned with underscores. */
function checked(given: unknown, table: Table, prefix: string, fail: Fail): Record<string, unknown> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw fail(`${prefix.slice(0, -1) || "the file"}: expected a mapping`);
  }
  const found: Record<string, unknown> = {};
  for (const [written, value] of Object.entries(given)) {
    const key = written.replaceAll("-", "_");
    const kind = Object.hasOwn(table, key) ? table[key] : undefined;
    if (kind === undefined) throw fail(`${prefix}${written}: unknown key; there are ${Object.keys(table).join(", ")}`);
    if (found[key] !== undefined) throw fail(`${prefix}${written}: this key was already given, as ${key}`);
    if (value === null) continue; // as in aMQTT: counts as not given
    if (kind === "plugins") {
      checkPlugins(value, `${prefix}${written}`, fail);
      continue;
    }
    if (!isOfKind(value, kind)) throw fail(`${prefix}${written}: expected ${EXPECTED[kind]}`);
    if (/qos$/.test(key) && ![0, 1, 2].includes(value as number)) throw fail(`${prefix}${written}: expected 0, 1 or 2`);
    found[key] = value;
  }
  return found;
}

const EXPECTED: Readonly<Record<Exclude<Kind, "plugins">, string>> = {
  boolean: "true or false",
  number: "a number",
  string: "text",
  map: "a mapping",
};

function isOfKind(value: unknown, kind: Kind): boolean {
  return kind === "map" ? typeof value === "object" && !Array.isArray(value) : typeof value === kind;
}

/** Commands load no plugins: those in aMQTT's own files are accepted, any other would have no effect. */
function checkPlugins(given: unknown, key: string, fail: Fail): void {
  const listed: unknown[] = Array.isArray(given) ? given : [given];
  for (const name of listed.flatMap((each) => (typeof each === "object" && each !== null ? Object.keys(each) : each))) {
    if (typeof name !== "string") throw fail(`${key}: expected the names of plugins`);
    if (!PACKET_LOG.test(name)) throw fail(`${key}: ${name}: this command has no plugins but the packet log (--debug)`);
  }
}
