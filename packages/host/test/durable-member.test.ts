// Three processes of a cluster with replicated sessions, here in one, over a real NATS server: what a member had is at
// another one when it ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, onTestFinished, test } from "vitest";
import { dialTcp, RawClient, RealPace } from "../../../tools/testkit/src/index.ts";
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

  async function three(cluster: string): Promise<[Process, Process, Process]> {
    const [a, b, c] = [await start(cluster, "a"), await start(cluster, "b"), await start(cluster, "c")];
    await until(() => [a, b, c].every(({ host }) => host.shards?.all.size === SHARDS / 3), 20_000);
    return [a, b, c];
  }

  test("sessions, queues, retained messages and wills are at another member when theirs has closed", async () => {
    const [a, b, c] = await three("durable");
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
});
