// `wrenmq start` with `cluster.replicas` as three processes over NATS: what a process had outlives it.
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IClientOptions, MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isNatsHere, NatsServer, USER } from "../../../packages/cluster-nats/test/support/nats-server.ts";
import { type BrokerProcess, startBroker } from "./support/broker-process.ts";
import { temporaryFolder } from "./support/folder.ts";
import { connect, idAt, payloads } from "./support/workers.ts";

const SHARDS = 6;
const LASTING: IClientOptions = { clean: false, protocolVersion: 5, properties: { sessionExpiryInterval: 3_600 } };

const runtime = mkdtempSync(join(tmpdir(), "wrenmq-run-"));
afterAll(() => rmSync(runtime, { recursive: true, force: true }));

async function start(nats: NatsServer, member: string): Promise<BrokerProcess> {
  const file = join(await temporaryFolder(), `${member}.yaml`);
  await writeFile(
    file,
    `
listeners: { default: { bind: "127.0.0.1:0" } }
plugins: { anonymous: }
cluster:
  name: test
  member: ${member}
  servers: [${nats.url}]
  username: ${USER.username}
  password: ${USER.password}
  replicas: 1
  takeover_grace: 1s
`,
  );
  return startBroker(["-c", file], { env: { XDG_RUNTIME_DIR: runtime } });
}

/** The shards that a process serves, by what it has said. */
function shardsOf({ lines }: BrokerProcess): number[] {
  const open = new Set<number>();
  for (const { msg, shard } of lines) {
    if (msg === "the shard serves its clients") open.add(Number(shard));
    if (msg === "the shard is closed" || msg?.startsWith("the shard is another member's") === true) {
      open.delete(Number(shard));
    }
  }
  return [...open];
}

async function untilServed(processes: readonly BrokerProcess[]): Promise<void> {
  const counts = (): number[] => processes.map((process) => shardsOf(process).length);
  const isEven = (): boolean => counts().every((count) => count === SHARDS / processes.length);
  while (!isEven()) {
    const from = processes.map(({ lines }) => lines.length);
    await Promise.any(processes.map((process, index) => process.line(() => true, from[index])));
  }
}

async function threeProcesses(nats: NatsServer): Promise<[BrokerProcess, BrokerProcess, BrokerProcess]> {
  const processes = await Promise.all(["a", "b", "c"].map((name) => start(nats, name)));
  await untilServed(processes);
  return processes as [BrokerProcess, BrokerProcess, BrokerProcess];
}

describe.skipIf(!isNatsHere)("three processes with replicated sessions", { timeout: 90_000 }, () => {
  let nats: NatsServer;
  beforeAll(async () => {
    nats = await NatsServer.start("test", true, SHARDS);
  });
  afterAll(() => nats[Symbol.asyncDispose]());

  test("SIGKILL of one: sessions, queues, retained messages and wills of its shards are at others", async () => {
    const [first, second, third] = await threeProcesses(nats);
    const urls = await Promise.all([first, second, third].map((process) => process.address()));
    const lost = shardsOf(second);
    const ids = lost.flatMap((shard) => [idAt(shard, "one", SHARDS), idAt(shard, "two", SHARDS)]);
    for (const [index, clientId] of ids.entries()) {
      const client = await connect(urls[index % 3] as string, { ...LASTING, clientId });
      await client.subscribeAsync("queue/#", { qos: 2 });
      await client.endAsync();
    }
    const mourner = await connect(urls[0] as string, {
      clientId: idAt(shardsOf(first)[0] as number, "mourner", SHARDS),
    });
    const wills = payloads(mourner);
    await mourner.subscribeAsync("wills/#", { qos: 1 });
    const [lostShard] = lost as [number];
    await connect(urls[1] as string, {
      clientId: idAt(lostShard, "mortal", SHARDS),
      will: { topic: "wills/mortal", payload: Buffer.from("gone"), qos: 1, retain: false },
    });
    const returning: IClientOptions = {
      ...LASTING,
      clientId: idAt(lostShard, "returning", SHARDS),
      will: { topic: "wills/returning", payload: Buffer.from("never"), qos: 1, retain: false },
    };
    await connect(urls[1] as string, returning);
    const publisher = await connect(urls[0] as string, {
      clientId: idAt(shardsOf(third)[0] as number, "publisher", SHARDS),
    });
    for (let number = 0; number < 20; number++) {
      await publisher.publishAsync(`queue/${number}`, `before ${number}`, { qos: number % 2 === 0 ? 1 : 2 });
    }
    await publisher.publishAsync("kept", "retained", { qos: 1, retain: true });
    await second.stop("SIGKILL");
    // Those of QoS 2 wait until the shard is there again; their publisher is not refused.
    const meanwhile = Array.from({ length: 10 }, (_, number) =>
      publisher.publishAsync(`queue/m${number}`, `meanwhile ${number}`, { qos: 2 }),
    );
    await untilServed([first, third]);
    await connectPatiently(urls[0] as string, returning);
    await Promise.all(meanwhile);
    const before = Array.from({ length: 20 }, (_, number) => `before ${number}`);
    const all = [...before, ...Array.from({ length: 10 }, (_, number) => `meanwhile ${number}`)];
    for (const [index, clientId] of ids.entries()) {
      const client = await connectPatiently(urls[index % 2 === 0 ? 0 : 2] as string, { ...LASTING, clientId }, (one) =>
        received.set(clientId, payloads(one)),
      );
      expect((await received.get(clientId)?.first(all.length))?.toSorted()).toEqual(all.toSorted());
      await client.endAsync();
    }
    const late = await connect(urls[2] as string, { clientId: "late" });
    const retained = payloads(late);
    await late.subscribeAsync("kept", { qos: 1 });
    expect(await retained.first(1)).toEqual(["retained"]);
    expect(await wills.first(1)).toEqual(["gone"]);
    expect(await Promise.all([first.stop(), third.stop()])).toEqual([0, 0]);
    expect(wills.all).toEqual(["gone"]);
  });
});

const received = new Map<string, ReturnType<typeof payloads>>();

/** While a shard moves its clients are cut off. */
async function connectPatiently(
  url: string,
  options: IClientOptions,
  listen: (client: MqttClient) => void = () => {},
): Promise<MqttClient> {
  const { default: mqtt } = await import("mqtt");
  for (;;) {
    const client = mqtt.connect(url, { reconnectPeriod: 0, ...options });
    listen(client);
    const isConnected = await new Promise<boolean>((resolve) => {
      client.once("connect", () => resolve(true));
      client.once("close", () => resolve(false));
      client.on("error", () => {});
    });
    if (isConnected) return client;
    client.end(true);
  }
}
