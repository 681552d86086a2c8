// Three processes of a cluster with replicated sessions, here in one, over a real NATS server: what a member had is at
// another one when it ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { dialTcp, RawClient, RealPace, text } from "../../../tools/testkit/src/index.ts";
import { until } from "../../cluster-nats/test/support/members.ts";
import { isNatsHere, NatsServer, USER } from "../../cluster-nats/test/support/nats-server.ts";
import { brokerFromConfig, type ConfiguredBroker } from "../src/index.ts";

const SHARDS = 6;

interface Process {
  readonly host: ConfiguredBroker;
  readonly name: string;
  connect(options?: ConnectOptions): Promise<RawClient>;
}

interface ConnectOptions extends NonNullable<Parameters<RawClient["connect"]>[0]> {
  readonly version?: 4 | 5;
}

/** Takes messages, with all acknowledgements, until there are so many. */
async function receiveAll(client: RawClient, count: number): Promise<number[]> {
  const got: number[] = [];
  while (got.length < count) {
    const { packet } = await client.receive();
    if (packet.type === "publish") {
      got.push(Number(text(packet.payload)));
      const packetId = packet.packetId as number;
      client.send({ type: packet.qos === 1 ? "puback" : "pubrec", packetId, reasonCode: 0 });
    } else if (packet.type === "pubrel") client.send({ type: "pubcomp", packetId: packet.packetId, reasonCode: 0 });
  }
  return got;
}

describe.skipIf(!isNatsHere)("a cluster with replicated sessions", { timeout: 60_000 }, () => {
  let nats: NatsServer;
  const folder = mkdtempSync(join(tmpdir(), "wrenmq-durable-"));
  beforeAll(async () => {
    nats = await NatsServer.start("durable", true, SHARDS);
  });
  afterAll(async () => {
    await nats[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(cluster: string, name: string): Promise<Process> {
    const host = await brokerFromConfig({
      listeners: { default: { bind: "127.0.0.1:0" } },
      plugins: { anonymous: null },
      warm_up: false,
      cluster: {
        name: cluster,
        member: name,
        servers: [nats.url],
        ...USER,
        replicas: 1,
        takeover_grace: "500ms",
      },
      store: { path: join(folder, `${cluster}-${name}`) },
    });
    await host.broker.start();
    onTestFinished(() => host.close());
    const port = host.broker.port("default") as number;
    return {
      host,
      name,
      async connect({ version = 5, ...options } = {}) {
        const client = new RawClient(await dialTcp("127.0.0.1", port), version, new RealPace());
        await client.connect(options);
        return client;
      },
    };
  }

  async function three(cluster = "durable"): Promise<[Process, Process, Process]> {
    const [a, b, c] = [await start(cluster, "a"), await start(cluster, "b"), await start(cluster, "c")];
    await until(() => [a, b, c].every(({ host }) => host.shards?.all.size === SHARDS / 3), 20_000);
    return [a, b, c];
  }

  test("sessions, queues, retained messages and wills are at another member when theirs has closed", async () => {
    const [a, b, c] = await three();
    const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };
    const ids = Array.from({ length: 12 }, (_, index) => `client-${index}`);
    for (const [index, clientId] of ids.entries()) {
      const client = await ([a, b, c][index % 3] as Process).connect({ clientId, ...lasting });
      await client.subscribe("queue/#", { qos: 2 });
      await client.disconnect();
    }
    const publisher = await a.connect({ clientId: "publisher" });
    for (const qos of [1, 2] as const) await publisher.publish(`queue/${qos}`, `${qos}`, { qos });
    await publisher.publish("kept", "retained", { qos: 1, retain: true });
    await a.host.close();
    await until(() => [b, c].every(({ host }) => host.shards?.all.size === SHARDS / 2), 20_000);
    for (const [index, clientId] of ids.entries()) {
      const client = await ([b, c][index % 2] as Process).connect({ clientId, ...lasting });
      await client.take("queue/1", "1", { qos: 1 });
      await client.take("queue/2", "2", { qos: 2 });
    }
    const late = await b.connect({ clientId: "late" });
    await late.subscribe("kept", { qos: 1 });
    await late.take("kept", "retained", { qos: 1, retain: true });
  });

  /** A client identifier whose shard is at this process now. */
  function idAt({ host }: Process, prefix: string): string {
    for (let number = 0; ; number++) {
      const shard = host.shards?.homeOf(`${prefix}-${number}`) as number;
      if (host.shards?.all.has(shard) === true) return `${prefix}-${number}`;
    }
  }

  test("a member is emptied while messages come: nothing is refused or lost, nothing of QoS 2 comes twice", async () => {
    const [a, b, c] = await three();
    const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };
    const subscriber = idAt(b, "moving");
    const away = await b.connect({ clientId: subscriber, ...lasting });
    await away.subscribe("moving/#", { qos: 2 });
    await away.disconnect();
    const idle = await b.connect({ clientId: idAt(b, "idle"), ...lasting });
    const publisher = await a.connect({ clientId: idAt(a, "steady") });
    const count = 200;
    const send = async (from: number, to: number): Promise<void> => {
      for (let number = from; number < to; number++) {
        await publisher.publish("moving/t", `${number}`, { qos: number % 2 === 0 ? 1 : 2 });
      }
    };
    await send(0, 20);
    const steering = c.host.broker.operations.steering;
    const emptied = steering?.drain("b", true);
    const sent = send(20, count);
    await emptied;
    await until(() => b.host.shards?.all.size === 0, 20_000);
    await sent;
    const back = await c.connect({ clientId: subscriber, ...lasting });
    const got = await receiveAll(back, count);
    expect(got.toSorted((one, other) => one - other)).toEqual(Array.from({ length: count }, (_, number) => number));
    expect(await idle.expect("disconnect")).toMatchObject({ reasonCode: 0x9c });
    const report = a.host.broker.operations.cluster;
    expect(report?.members.map(({ name, isDraining, partitions }) => [name, isDraining, partitions])).toEqual([
      ["a", false, 3],
      ["b", true, 0],
      ["c", false, 3],
    ]);
    await steering?.drain("b", false);
    await until(() => [a, b, c].every(({ host }) => host.shards?.all.size === 2), 20_000);
    const wanted = a.host.shards?.homeOf(subscriber) as number;
    await steering?.move(wanted, "a");
    await until(() => a.host.shards?.all.has(wanted) === true, 20_000);
    await expect(steering?.move(wanted, "nobody")).rejects.toThrow('there is no member "nobody"');
  });
});
