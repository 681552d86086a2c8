// A client's configuration file as aMQTT has it. Dashes and underscores are the same; unknown keys are errors.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
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
  /** QoS and retain flag of single topics. */
  readonly topics: ReadonlyMap<string, { readonly qos?: number; readonly retain?: boolean }>;
  readonly connection: Partial<Record<"uri" | "cafile" | "capath" | "cadata" | "certfile" | "keyfile", string>>;
  readonly will?: { readonly topic: string; readonly message: string; readonly qos: number; readonly retain: boolean };
}

type Kind = "boolean" | "number" | "string" | "map";
type Table = Readonly<Record<string, Kind>>;

const ROOT: Table = {
  keep_alive: "number",
  ping_delay: "number",
  default_qos: "number",
  default_retain: "boolean",
  auto_reconnect: "boolean",
  connection_timeout: "number",
  reconnect_retries: "number",
  reconnect_max_interval: "number",
  cleansession: "boolean",
  check_hostname: "boolean",
  verify_cert: "boolean",
  topics: "map",
  broker: "map",
  connection: "map",
  will: "map",
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
const WILL: Table = { topic: "string", message: "string", qos: "number", retain: "boolean" };

/** @throws CommandError naming file and key */
export function readClientConfig(file: string): ClientConfig {
  return clientConfig(readYaml(file), (message) => new CommandError(`${file}: ${message}`));
}

function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"), { version: "1.1" });
  } catch (error) {
    throw new CommandError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
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
    connectionTimeout: root["connection_timeout"],
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

/** A mapping with the keys of a table, each of its kind. Keys come back with underscores. */
function checked(given: unknown, table: Table, prefix: string, fail: Fail): Record<string, unknown> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw fail(`${prefix.slice(0, -1) || "the file"}: expected a mapping`);
  }
  const found: Record<string, unknown> = {};
  for (const [written, value] of Object.entries(given)) {
    const key = written.replaceAll("-", "_");
    const kind = Object.hasOwn(table, key) ? table[key] : undefined;
    if (kind === undefined) throw fail(`${prefix}${written}: unknown key; there are ${Object.keys(table).join(", ")}`);
    const right = kind === "map" ? typeof value === "object" : typeof value === kind;
    if (!right) throw fail(`${prefix}${written}: expected a ${kind === "map" ? "mapping" : kind}`);
    if (/qos$/.test(key) && ![0, 1, 2].includes(value as number)) throw fail(`${prefix}${written}: expected 0, 1 or 2`);
    found[key] = value;
  }
  return found;
}
