// Connects a client with the options and the configuration file of a command.
import { isIPv6 } from "node:net";
import { hostname } from "node:os";
import { domainToASCII } from "node:url";
import { isTopicName } from "@wrenmq/topics";
import type { IClientOptions, MqttClient } from "mqtt";
import { CommandError, UsageError } from "../errors.ts";
import { systemReason } from "../system-error.ts";
import { type BrokerUrl, parseBrokerUrl } from "./broker-url.ts";
import { type ClientConfig, readClientConfig } from "./client-config.ts";
import type { ClientOptions } from "./client-options.ts";
import { credentials } from "./credentials.ts";
import { tlsMaterial } from "./tls-material.ts";

const PROTOCOLS = { "3.1": 3, "3.1.1": 4, "5": 5 } as const;
const NO_CONFIG: ClientConfig = { topics: new Map(), connection: {} };

export interface ClientSettings {
  readonly url: URL;
  readonly options: IClientOptions;
  readonly config: ClientConfig;
}

/**
 * @param isInputTaken true when standard input is the message
 * @throws UsageError, CommandError
 */
export async function clientSettings(
  name: string,
  given: ClientOptions,
  isInputTaken = false,
): Promise<ClientSettings> {
  const config = given.configFile === undefined ? NO_CONFIG : readClientConfig(given.configFile);
  const broker = brokerOf(given, config);
  const clean = given.cleanSession ?? config.cleanSession ?? true;
  const will = willOf(given) ?? config.will;
  if (will !== undefined && !isTopicName(will.topic)) throw new UsageError(notATopic("the will's topic", will.topic));
  const protocolVersion = PROTOCOLS[given.protocol ?? "3.1.1"];
  const options: IClientOptions = {
    ...(await credentials(given, broker, isInputTaken)),
    clientId: given.clientId ?? `wrenmq-${name}/${process.pid}-${hostname()}`,
    clean,
    keepalive: given.keepAlive ?? config.keepAlive ?? 10,
    protocolVersion,
    ...(protocolVersion === 3 ? { protocolId: "MQIsdp" } : {}),
    connectTimeout: (config.connectionTimeout ?? 60) * 1000,
    reconnectPeriod: 0,
    resubscribe: false,
    rejectUnauthorized: given.insecure !== true && config.verifyCert !== false,
    ...(config.checkHostname === false ? { checkServerIdentity: () => undefined } : {}),
    ...tlsMaterial(given, config),
    ...(given.extraHeaders === undefined ? {} : { wsOptions: { headers: given.extraHeaders } }),
    ...(will === undefined
      ? {}
      : { will: { ...will, payload: Buffer.from(will.message), qos: will.qos as 0 | 1 | 2, retain: will.retain } }),
    // With MQTT 5 a session ends with its connection unless an expiry interval is sent.
    ...(protocolVersion === 5 && !clean ? { properties: { sessionExpiryInterval: 0xffffffff } } : {}),
  };
  return { url: broker.url, options, config };
}

/** The message about an invalid topic to publish to. */
export function notATopic(what: string, topic: string): string {
  if (topic === "") return `${what} is empty`;
  if (/[+#]/.test(topic)) return `${what} has a wildcard, which only subscriptions may have: ${topic}`;
  return `${what} has the character U+0000`;
}

/**
 * @param prepare gets the client before anything has been received
 * @throws CommandError with the reason of the server or the system
 */
export async function connectClient(
  { url, options }: ClientSettings,
  debug: boolean,
  prepare: (client: MqttClient) => void = () => {},
): Promise<MqttClient> {
  const { default: mqtt } = await import("mqtt");
  const client = mqtt.connect(url.href, options);
  if (debug) tracePackets(client);
  prepare(client);
  await new Promise<void>((resolve, reject) => {
    const done = (): void => {
      client.off("connect", connected).off("error", failed).off("close", closed);
    };
    const connected = (): void => {
      done();
      resolve();
    };
    const failed = (error: Error): void => {
      done();
      client.on("error", () => {}).end(true);
      reject(new CommandError(`cannot connect to ${url.host || url.href}: ${refusal(error)}`, { cause: error }));
    };
    const closed = (): void => failed(new Error("the connection was closed before it was accepted"));
    client.on("connect", connected).on("error", failed).on("close", closed);
  });
  return client;
}

function refusal(error: Error): string {
  return systemReason(error) ?? (error.message || error.name);
}

function brokerOf(given: ClientOptions, { connection }: ClientConfig): BrokerUrl {
  const { url, host, port } = given;
  if (host === undefined && port === undefined) return parseBrokerUrl(url ?? connection.uri ?? "mqtt://127.0.0.1:1883");
  if (url !== undefined) throw new UsageError("--url says host and port already; leave --host and --port out");
  const isSecure = [given.caFile, given.caPath, given.caData, given.certFile, given.insecure].some(Boolean);
  const broker = parseBrokerUrl(connection.uri ?? (isSecure ? "mqtts://127.0.0.1" : "mqtt://127.0.0.1"));
  if (host !== undefined) broker.url.hostname = hostInUrl(host);
  if (port !== undefined) broker.url.port = String(port);
  return broker;
}

function hostInUrl(host: string): string {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  if (isIPv6(address)) return `[${address}]`;
  const name = domainToASCII(address);
  if (name === "" || /[\s/?#@:%\\]/.test(name))
    throw new UsageError(`--host ${host}: not the name or address of a host`);
  return name;
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

/** Prints packets in the form of aMQTT's packet log, without payloads and passwords. */
function tracePackets(client: MqttClient): void {
  const trace = (arrow: string) => (packet: { readonly cmd: string; readonly messageId?: number | undefined }) => {
    const id = packet.messageId === undefined ? "" : ` ${packet.messageId}`;
    process.stderr.write(`${client.options.clientId} ${arrow} ${packet.cmd}${id}\n`);
  };
  client.on("packetsend", trace("-out->"));
  client.on("packetreceive", trace("<-in--"));
}
