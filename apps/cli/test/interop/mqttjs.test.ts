// MQTT.js in the versions that applications have: 5 over every transport, 4 and 2 over TCP.
import { createRequire } from "node:module";
import { expect, onTestFinished, test } from "vitest";
import { siteOfFile, until, VERSIONS, type Version, type Way } from "./site.ts";

/** What all versions of the library have in common. */
interface Client {
  on(
    event: "message",
    listener: (topic: string, payload: Buffer, packet: { qos: number; retain: boolean }) => void,
  ): void;
  on(event: "connect", listener: (packet: { sessionPresent: boolean }) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  publish(topic: string, payload: string, options: object, done: (error?: Error) => void): void;
  subscribe(filter: string, options: object, done: (error?: Error | null) => void): void;
  end(force: boolean, done?: () => void): void;
  readonly stream: { destroy(): void };
}
interface Library {
  connect(url: string, options: object): Client;
}

const require = createRequire(import.meta.url);
const LIBRARIES: Readonly<Record<string, Library>> = {
  "MQTT.js 5": require("mqtt") as Library,
  "MQTT.js 4": require("mqtt-v4") as Library,
  "MQTT.js 2": require("mqtt-v2") as Library,
};
const WAYS: Readonly<Record<string, readonly Exclude<Way, "unix">[]>> = {
  "MQTT.js 5": ["tcp", "tls", "ws", "wss"],
  "MQTT.js 4": ["tcp"],
  "MQTT.js 2": ["tcp"],
};
/** MQTT.js 2 is older than MQTT 5. */
const combinations = Object.entries(WAYS).flatMap(([name, ways]) =>
  ways.flatMap((way) =>
    VERSIONS.filter(([, version]) => name !== "MQTT.js 2" || version < 5).map(
      ([label, version]) => [name, way, label, version] as const,
    ),
  ),
);

const site = siteOfFile();

interface Connected {
  readonly client: Client;
  readonly received: string[];
  readonly sessionPresent: boolean;
}

async function connect(name: string, way: Exclude<Way, "unix">, version: Version, options: object): Promise<Connected> {
  const library = LIBRARIES[name] as Library;
  const client = library.connect(site().url(way), {
    protocolVersion: version,
    protocolId: version === 3 ? "MQIsdp" : "MQTT",
    reconnectPeriod: 0,
    rejectUnauthorized: false,
    ...options,
  });
  onTestFinished(() => client.end(true));
  const received: string[] = [];
  // Before it is connected: what waits in a session comes at once.
  client.on("message", (topic, payload, { qos, retain }) => {
    received.push(`${topic} ${payload.toString()} ${qos}${retain ? " retained" : ""}`);
  });
  const { sessionPresent } = await new Promise<{ sessionPresent: boolean }>((resolve, reject) => {
    client.on("connect", resolve);
    client.on("error", reject);
  });
  return { client, received, sessionPresent };
}

const publish = (client: Client, topic: string, payload: string, options: object): Promise<void> =>
  new Promise((resolve, reject) => {
    client.publish(topic, payload, options, (error) => (error ? reject(error) : resolve()));
  });
const subscribe = (client: Client, filter: string, qos: number): Promise<void> =>
  new Promise((resolve, reject) => {
    client.subscribe(filter, { qos }, (error) => (error ? reject(error) : resolve()));
  });
const end = (client: Client): Promise<void> => new Promise((resolve) => client.end(false, resolve));

test.each(combinations)(
  "%s over %s, version %s: QoS 0, 1 and 2, a will, a retained message, a session that was away",
  async (name, way, label, version) => {
    const root = `${name} ${way} ${label}`;
    const will = { topic: `${root}/will`, payload: "gone", qos: 1, retain: false };
    const publisher = await connect(name, way, version, { will });
    await publish(publisher.client, `${root}/kept`, "kept", { qos: 1, retain: true });
    const lasting = {
      clientId: `sub-${way}-${version}-${name.at(-1)}`,
      clean: false,
      ...(version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}),
    };
    const first = await connect(name, way, version, lasting);
    expect(first.sessionPresent === true).toBe(false);
    await subscribe(first.client, `${root}/#`, 2);
    await until(
      () => first.received.length === 1,
      () => String(first.received),
    );
    for (const qos of [0, 1, 2]) await publish(publisher.client, `${root}/t`, `m${qos}`, { qos });
    await until(
      () => first.received.length === 4,
      () => String(first.received),
    );
    expect(first.received).toEqual([
      `${root}/kept kept 1 retained`,
      `${root}/t m0 0`,
      `${root}/t m1 1`,
      `${root}/t m2 2`,
    ]);
    await end(first.client);

    const waiting = Array.from({ length: 20 }, (_, index) => ({ payload: `w${index}`, qos: 1 + (index % 2) }));
    for (const { payload, qos } of waiting) await publish(publisher.client, `${root}/t`, payload, { qos });
    publisher.client.stream.destroy();
    const second = await connect(name, way, version, lasting);
    // MQTT 3.1 has no Session Present.
    expect(second.sessionPresent === true).toBe(version > 3);
    await until(
      () => second.received.length === 21,
      () => String(second.received),
    );
    // The library tells of a message of QoS 2 when its exchange is over: each level has its own order.
    const at = (qos: number): string[] =>
      waiting.filter((one) => one.qos === qos).map(({ payload }) => `${root}/t ${payload} ${qos}`);
    const got = (qos: number): string[] => second.received.filter((line) => line.endsWith(` ${qos}`));
    expect(got(1)).toEqual([...at(1), `${root}/will gone 1`]);
    expect(got(2)).toEqual(at(2));
    await end(second.client);
  },
);
