// Traces that are run again: the same broker gives the same answers, and a doctored trace shows where it differs.
import type { ProtocolVersion } from "@wrenmq/codec";
import { describe, expect, test } from "vitest";
import { type ReplayReport, replay } from "../../src/recording/index.ts";
import { readTrace } from "../../src/trace/index.ts";
import { TracedBroker } from "../support/record.ts";

const traced = new TracedBroker();
const start = traced.start.bind(traced);
const trace = traced.trace.bind(traced);

async function replayed(text: string): Promise<ReplayReport> {
  const { header, records } = readTrace(text);
  return replay(header, records);
}

/** Connects, subscribes, gets retained and other messages at every QoS, sends, is away, comes back. */
async function day(version: ProtocolVersion): Promise<void> {
  const lasting = version === 5 ? { properties: { sessionExpiryInterval: 600, receiveMaximum: 2 } } : {};
  const other = await traced.fixture.connect(version, { clientId: "other" });
  const sink = await traced.fixture.connect(version, { clientId: "sink" });
  await sink.subscribe("from/#");
  const client = await traced.fixture.connect(version, { clientId: "c", cleanStart: false, ...lasting });
  await client.subscribe(["to/#", "old"], { qos: 2 });
  const old = await client.expect("publish", { topic: "old", retain: true });
  await client.acknowledge(old);
  for (const qos of [0, 1, 2] as const) {
    await other.publish("to/c", `number ${qos}`, { qos });
    await client.take("to/c", `number ${qos}`);
    await traced.fixture.clock.advance(100);
    await client.publish("from/c", "x", { qos });
    await client.publish("nobody/cares", "x", { qos });
  }
  await client.cut();
  await traced.fixture.clock.advance(5_000);
  for (let count = 0; count < 5; count++) await other.publish("to/c", `away ${count}`, { qos: 1 });
  const again = await traced.fixture.connect(version, { clientId: "c", cleanStart: false, ...lasting });
  for (let count = 0; count < 5; count++) await again.take("to/c", `away ${count}`);
  await again.unsubscribe("to/#");
  await again.disconnect();
}

describe.each([3, 4, 5] as const)("MQTT level %i", (version) => {
  test.each([false, true])("a day of a client, payloads recorded: %s", async (payloads) => {
    await start();
    traced.fixture.broker.retain("old", "message", { qos: 1 });
    const report = await replayed(await trace({ client: "c", payloads }, () => day(version)));
    expect(report.differences).toEqual([]);
    expect(report.notes).toEqual([]);
    expect(report.compared).toBeGreaterThan(15);
    expect(report.sent).toBeGreaterThan(15);
  });
});

test("a client that was connected before, with packet identifiers that were used before", async () => {
  await start();
  const other = await traced.fixture.connect(5, { clientId: "other" });
  const client = await traced.fixture.connect(5, { clientId: "c", keepAlive: 60 });
  await client.subscribe("to/#", { qos: 1 });
  await other.publish("to/c", "before", { qos: 1 });
  const before = await client.expect("publish", { topic: "to/c" });
  await other.publish("to/c", "before, too", { qos: 1 });
  await client.acknowledge(before);
  await client.acknowledge(await client.expect("publish"));
  const text = await trace({ client: "c" }, async () => {
    for (let count = 0; count < 3; count++) {
      await other.publish("to/c", "x", {
        qos: 1,
        properties: { messageExpiryInterval: 60, contentType: "text/plain" },
      });
      await client.acknowledge(await client.expect("publish"));
    }
    await client.publish("t", "x", { qos: 1 });
  });
  expect((await replayed(text)).differences).toEqual([]);
});

test("what plugins decided: refused connects, subscriptions, messages", async () => {
  await start({
    hooks: {
      authenticate: ({ username }) => username === "ada",
      authorize: (_client, _action, topic) => !topic.startsWith("no/"),
    },
  });
  const text = await trace({ client: "c" }, async () => {
    const stranger = traced.fixture.open(5);
    stranger.send({ type: "connect", protocolVersion: 5, clientId: "c", cleanStart: true, keepAlive: 0 });
    await stranger.expect("connack");
    const client = await traced.fixture.connect(5, { clientId: "c", username: "ada" });
    await client.subscribe(["no/a", "yes/#", "+/b"], { qos: 1 });
    await client.publish("no/b", "x", { qos: 1 });
    traced.fixture.broker.publish("no/b", "x", { qos: 1 });
    traced.fixture.broker.publish("yes/b", "x", { qos: 1 });
    await client.acknowledge(await client.expect("publish"));
  });
  const report = await replayed(text);
  expect(report.differences).toEqual([]);
  expect(text).toContain('"reason":"notAuthorized"');
});

test("enhanced authentication with two steps", async () => {
  let step = 0;
  const next = () => (step++ === 0 ? ({ status: "continue" } as const) : ({ status: "success" } as const));
  await start({ hooks: { authenticationMethods: { M: () => ({ next }) } } });
  const text = await trace({ client: "c" }, async () => {
    const client = traced.fixture.open(5);
    const properties = { authenticationMethod: "M", authenticationData: Buffer.from("x") };
    client.send({ type: "connect", protocolVersion: 5, clientId: "c", cleanStart: true, keepAlive: 0, properties });
    await client.expect("auth");
    client.send({ type: "auth", reasonCode: 0x18, properties });
    await client.expect("connack", { reasonCode: 0 });
  });
  expect(await replayed(text)).toMatchObject({ differences: [], sent: 2, compared: 2 });
});

test("an operator who disconnects the client, keep alive, and a packet that must not be", async () => {
  await start();
  const text = await trace({ client: "c", seconds: 300 }, async () => {
    await traced.fixture.connect(5, { clientId: "c", keepAlive: 10 });
    traced.fixture.broker.disconnect("c");
    await traced.fixture.connect(5, { clientId: "c", keepAlive: 10 });
    await traced.fixture.clock.advance(60_000);
    const client = await traced.fixture.connect(5, { clientId: "c" });
    client.send({ type: "auth", reasonCode: 0x19, properties: { authenticationMethod: "M" } });
    await client.expect("disconnect");
  });
  expect(text.match(/"type":"disconnect"/g)).toHaveLength(3);
  expect((await replayed(text)).differences).toEqual([]);
});

describe("a doctored trace", () => {
  const recorded = async (): Promise<string[]> => {
    await start();
    traced.fixture.broker.retain("old", "message", { qos: 1 });
    return (await trace({ client: "c", payloads: true }, () => day(5))).trimEnd().split("\n");
  };
  const packetLine = (lines: readonly string[], type: string): number =>
    lines.findIndex((line) => line.includes('"direction":"out"') && line.includes(`"type":"${type}"`));

  test("shows another reason code", async () => {
    const lines = await recorded();
    const index = packetLine(lines, "suback");
    lines[index] = (lines[index] ?? "").replace('"reasonCodes":[2,', '"reasonCodes":[135,');
    const { differences } = await replayed(`${lines.join("\n")}\n`);
    expect(differences).toMatchObject([
      { client: "c", recorded: { reasonCodes: [0x87, 2] }, replayed: { reasonCodes: [2, 2] } },
    ]);
  });

  test("shows a message that was not delivered, and another payload", async () => {
    const lines = await recorded();
    const index = packetLine(lines, "publish");
    const without = lines.toSpliced(index, 1);
    const { differences } = await replayed(`${without.join("\n")}\n`);
    const [difference] = differences.filter((one) => one.replayed?.type === "publish");
    expect(difference).toMatchObject({ replayed: { topic: "old" }, recorded: { topic: "to/c" } });
    const other = lines.with(index, (lines[index] ?? "").replace('"utf8":"message"', '"utf8":"massage"'));
    expect((await replayed(`${other.join("\n")}\n`)).differences).toMatchObject([
      { recorded: { payload: { utf8: "massage" } }, replayed: { payload: { utf8: "message" } } },
    ]);
  });

  test("shows what the client has not sent, in its answer", async () => {
    const lines = await recorded();
    const index = lines.findIndex((line) => line.includes('"type":"unsubscribe"'));
    expect((await replayed(`${lines.toSpliced(index, 1).join("\n")}\n`)).differences).toMatchObject([
      { recorded: { type: "unsuback" }, replayed: undefined },
    ]);
  });
});

test("twice the same: the replay is deterministic", async () => {
  await start();
  traced.fixture.broker.retain("old", "message", { qos: 1 });
  const text = await trace({ client: "c" }, () => day(5));
  expect(await replayed(text)).toEqual(await replayed(text));
});

test("a packet that cannot be one, and times without end, do no harm", async () => {
  const header = {
    kind: "header",
    at: 0,
    version: 1,
    broker: "x",
    client: "c",
    seconds: 60,
    payloads: false,
    limits: {},
  };
  const packet = (at: number, one: object): object => {
    return { kind: "packet", at, client: "c", connection: 1, direction: "in", packet: one };
  };
  const connect = { type: "connect", protocolVersion: 5, clientId: "c", cleanStart: true, keepAlive: 0 };
  const text = (...lines: object[]): string => [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join("");
  await start();
  await expect(replayed(text(packet(0, { ...connect, protocolVersion: 9 })))).rejects.toThrow();
  await expect(replayed(text(packet(0, connect), packet(1, { type: "subscribe" })))).rejects.toThrow();
  expect(await replayed(text(packet(0, connect), packet(1e15, { type: "pingreq" })))).toMatchObject({ sent: 2 });
});
