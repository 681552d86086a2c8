// From options and client configuration to a connected client.
import { readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { IClientOptions, MqttClient } from "mqtt";
import { CommandError, UsageError } from "../errors.ts";
import { type ClientConfig, readClientConfig } from "./client-config.ts";

export interface ClientOptions {
  readonly url?: string;
  readonly configFile?: string;
  readonly clientId?: string;
  readonly qos?: 0 | 1 | 2;
  readonly keepAlive?: number;
  readonly cleanSession?: boolean;
  readonly protocol?: "3.1" | "3.1.1" | "5";
  readonly caFile?: string;
  readonly caPath?: string;
  readonly caData?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly insecure?: boolean;
  readonly willTopic?: string;
  readonly willMessage?: string;
  readonly willQos?: 0 | 1 | 2;
  readonly willRetain?: boolean;
  readonly extraHeaders?: Record<string, string>;
  readonly debug?: boolean;
}

const PROTOCOLS = { "3.1": 3, "3.1.1": 4, "5": 5 } as const;
const PORTS: Readonly<Record<string, string>> = { "mqtt:": "1883", "mqtts:": "8883", "ws:": "80", "wss:": "443" };
const NO_CONFIG: ClientConfig = { topics: new Map(), connection: {} };

export interface ClientSettings {
  readonly url: URL;
  readonly options: IClientOptions;
  readonly config: ClientConfig;
}

/** @throws UsageError, CommandError */
export function clientSettings(name: string, given: ClientOptions): ClientSettings {
  const config = given.configFile === undefined ? NO_CONFIG : readClientConfig(given.configFile);
  const url = brokerUrl(given.url ?? config.connection.uri ?? "mqtt://127.0.0.1:1883");
  const clean = given.cleanSession ?? config.cleanSession ?? true;
  const will = willOf(given) ?? config.will;
  const ca = authorities(given, config);
  const cert = given.certFile ?? config.connection.certfile;
  const key = given.keyFile ?? config.connection.keyfile;
  const protocolVersion = PROTOCOLS[given.protocol ?? "3.1.1"];
  const options: IClientOptions = {
    clientId: given.clientId ?? `wrenmq-${name}/${process.pid}-${hostname()}`,
    clean,
    keepalive: given.keepAlive ?? config.keepAlive ?? 10,
    protocolVersion,
    ...(protocolVersion === 3 ? { protocolId: "MQIsdp" } : {}),
    connectTimeout: (config.connectionTimeout ?? 60) * 1000,
    reconnectPeriod: 0,
    rejectUnauthorized: given.insecure !== true && config.verifyCert !== false,
    ...(config.checkHostname === false ? { checkServerIdentity: () => undefined } : {}),
    ...(ca.length > 0 ? { ca } : {}),
    ...(cert === undefined ? {} : { cert: readFileSync(cert) }),
    ...(key === undefined ? {} : { key: readFileSync(key) }),
    ...(given.extraHeaders === undefined ? {} : { wsOptions: { headers: given.extraHeaders } }),
    ...(will === undefined
      ? {}
      : { will: { ...will, payload: Buffer.from(will.message), qos: will.qos as 0 | 1 | 2, retain: will.retain } }),
    // With MQTT 5 a session ends with its connection unless it says otherwise.
    ...(protocolVersion === 5 && !clean ? { properties: { sessionExpiryInterval: 0xffffffff } } : {}),
  };
  return { url, options, config };
}

/** @throws CommandError with the reason that the server or the system gave */
export async function connectClient({ url, options }: ClientSettings, debug: boolean): Promise<MqttClient> {
  const { default: mqtt } = await import("mqtt");
  const client = mqtt.connect(url.href, options);
  if (debug) tracePackets(client);
  await new Promise<void>((resolve, reject) => {
    const place = url.host === "" ? url.href : url.host;
    const failed = (error: Error): void => {
      client.end(true);
      reject(new CommandError(`cannot connect to ${place}: ${reasonOf(error)}`, { cause: error }));
    };
    const closed = (): void => failed(new Error("the connection was closed before it was accepted"));
    client.once("connect", () => {
      client.off("error", failed);
      client.off("close", closed);
      resolve();
    });
    client.once("error", failed);
    client.once("close", closed);
  });
  return client;
}

function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error.message || error.name;
}

function brokerUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const port = url === undefined ? undefined : PORTS[url.protocol];
  if (url === undefined || port === undefined || url.hostname === "") {
    throw new UsageError(`not the URL of a broker: ${text} (expected mqtt, mqtts, ws or wss://host:port)`);
  }
  if (url.port === "") url.port = port;
  return url;
}

function willOf({ willTopic, willMessage, willQos, willRetain }: ClientOptions): ClientConfig["will"] {
  if (willTopic === undefined && willMessage === undefined) {
    if (willQos === undefined && willRetain === undefined) return undefined;
    throw new UsageError("a will needs --will-topic and --will-message");
  }
  if (willTopic === undefined || willMessage === undefined) {
    throw new UsageError("--will-topic and --will-message are only good together");
  }
  return { topic: willTopic, message: willMessage, qos: willQos ?? 0, retain: willRetain ?? false };
}

function authorities(given: ClientOptions, { connection }: ClientConfig): Buffer[] {
  const file = given.caFile ?? connection.cafile;
  const folder = given.caPath ?? connection.capath;
  const data = given.caData ?? connection.cadata;
  const found: Buffer[] = [];
  if (file !== undefined) found.push(readFileSync(file));
  if (folder !== undefined) {
    const names = readdirSync(folder).filter((name) => /\.(pem|crt|cer)$|\.\d$/.test(name));
    found.push(...names.map((name) => readFileSync(join(folder, name))));
  }
  if (data !== undefined) found.push(Buffer.from(data));
  return found;
}

/** aMQTT's packet log of a client; payloads and passwords are left out. */
function tracePackets(client: MqttClient): void {
  const trace = (arrow: string) => (packet: { readonly cmd: string; readonly messageId?: number | undefined }) => {
    const id = packet.messageId === undefined ? "" : ` ${packet.messageId}`;
    process.stderr.write(`${client.options.clientId} ${arrow} ${packet.cmd}${id}\n`);
  };
  client.on("packetsend", trace("-out->"));
  client.on("packetreceive", trace("<-in--"));
}
