// Brokers in this process that are members of one cluster, with clients over TCP.
import { type Broker, createBroker } from "@wrenmq/broker";
import type { ProtocolVersion } from "@wrenmq/codec";
import { dialTcp, pluginOf, RawClient, RealPace } from "../../../../tools/testkit/src/index.ts";
import { type ClusterMember, type ClusterOptions, joinCluster } from "../../src/index.ts";
import { type NatsServer, USER } from "./nats-server.ts";

export interface Member {
  readonly member: ClusterMember;
  readonly broker: Broker;
  readonly lines: string[];
  connect(options?: ConnectOptions): Promise<RawClient>;
  stop(): Promise<void>;
}

interface ConnectOptions extends NonNullable<Parameters<RawClient["connect"]>[0]> {
  readonly version?: ProtocolVersion;
}

export async function startMember(
  nats: NatsServer,
  name: string,
  changes: Partial<ClusterOptions> = {},
): Promise<Member> {
  const lines: string[] = [];
  const member = await joinCluster({
    name: "test",
    member: name,
    nats: { servers: [nats.url], ...USER },
    version: "1.0.0",
    said: (line) => lines.push(line),
    ...changes,
  });
  const { bus, placement } = member;
  const broker = createBroker({
    listeners: { main: { type: "tcp", host: "127.0.0.1", port: 0 } },
    sys: { intervalSeconds: 0 },
    plugins: [pluginOf("test", { authenticate: () => true })],
    bus,
    placement,
  });
  member.attach({
    accept: (connection, listener) => broker.accept(connection, { listener, handedOver: true }),
    clientIds: () => [...broker.sessions()].map(({ clientId }) => clientId),
  });
  await broker.start();
  return {
    member,
    broker,
    lines,
    async connect({ version = 5, ...options } = {}) {
      const client = new RawClient(await dialTcp("127.0.0.1", broker.port("main") as number), version, new RealPace());
      await client.connect(options);
      return client;
    },
    async stop() {
      await broker.shutdown();
      await member.leave();
    },
  };
}

/** Resolves when it is true. */
export async function until(isTrue: () => boolean, patience = 15_000): Promise<void> {
  const end = performance.now() + patience;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error("it does not become true");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** All are up, and each serves its part of the partitions. */
export function areBalanced(members: readonly Member[]): boolean {
  return members.every(({ member }) => {
    const reports = member.report().members;
    const least = Math.floor(16 / members.length);
    return (
      reports.length === members.length &&
      member.report().isCertain &&
      reports.every(({ state, partitions }) => state === "up" && partitions >= least)
    );
  });
}
