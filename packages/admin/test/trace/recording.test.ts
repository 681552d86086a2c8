// Traces of a broker in this process: what is in them, and what is not.
import { describe, expect, test, vi } from "vitest";
import { readTrace, type TraceRecord } from "../../src/trace/index.ts";
import { TracedBroker } from "../support/record.ts";

const traced = new TracedBroker();
const start = traced.start.bind(traced);
const trace = traced.trace.bind(traced);

const recordsOf = (text: string): readonly TraceRecord[] => readTrace(text).records;
const packetsOf = (text: string): string[] =>
  recordsOf(text).flatMap((one) => (one.kind === "packet" ? [`${one.direction} ${one.packet.type}`] : []));

describe.each([3, 4, 5] as const)("MQTT level %i", (version) => {
  test("all packets of a client that connects while it is traced, and only of that one", async () => {
    await start();
    const text = await trace({ client: "c" }, async () => {
      const other = await traced.fixture.connect(version, { clientId: "other" });
      const client = await traced.fixture.connect(version, { clientId: "c" });
      await client.subscribe("t", { qos: 1 });
      await other.publish("t", "x", { qos: 1 });
      await client.expect("publish");
      await client.disconnect();
    });
    expect(packetsOf(text)).toEqual([
      "in connect",
      "out connack",
      "in subscribe",
      "out suback",
      "out publish",
      "in disconnect",
    ]);
    const kinds = recordsOf(text).filter(({ kind }) => kind !== "packet");
    expect(kinds.map(({ kind }) => kind)).toEqual(["delivered", "disconnected", "end"]);
    expect(kinds[0]).toMatchObject({ client: "c", qos: 1, waited: false, message: { topic: "t", publisher: "other" } });
  });

  test("neither password, nor payload, nor the will's are in it; with payloads only the password is not", async () => {
    await start();
    const secrets = ["Secret-Password", "Secret-Payload", "Secret-Will"];
    const act = async () => {
      const client = await traced.fixture.connect(version, {
        clientId: "c",
        username: "ada",
        password: Buffer.from("Secret-Password"),
        will: { topic: "w", payload: Buffer.from("Secret-Will"), qos: 0, retain: false },
      });
      await client.publish("t", "Secret-Payload");
      await client.disconnect();
    };
    const without = await trace({ client: "c" }, act);
    for (const secret of secrets) {
      for (const form of [secret, Buffer.from(secret).toString("base64")]) expect(without).not.toContain(form);
    }
    expect(without).toContain('"password":{"hidden":true}');
    const whole = await trace({ client: "c", payloads: true }, act);
    expect(secrets.map((secret) => whole.includes(secret))).toEqual([false, true, true]);
    expect(whole).not.toContain(Buffer.from("Secret-Password").toString("base64"));
  });
});

test("data of enhanced authentication is not in it, not with payloads either", async () => {
  await start({
    hooks: {
      authenticationMethods: {
        M: () => {
          let step = 0;
          return {
            next: () =>
              step++ === 0
                ? { status: "continue", data: Buffer.from("Secret-Challenge") }
                : { status: "success", data: Buffer.from("Secret-End") },
          };
        },
      },
    },
  });
  const text = await trace({ client: "c", payloads: true }, async () => {
    const client = traced.fixture.open(5);
    client.send({
      type: "connect",
      protocolVersion: 5,
      clientId: "c",
      cleanStart: true,
      keepAlive: 0,
      properties: { authenticationMethod: "M", authenticationData: Buffer.from("Secret-Begin") },
    });
    await client.expect("auth");
    client.send({
      type: "auth",
      reasonCode: 0x18,
      properties: { authenticationMethod: "M", authenticationData: Buffer.from("Secret-Answer") },
    });
    await client.expect("connack");
  });
  expect(packetsOf(text)).toEqual(["in connect", "out auth", "in auth", "out connack"]);
  expect(text).not.toContain("Secret");
  expect(text).not.toContain(Buffer.from("Secret-").toString("base64").slice(0, 8));
});

test("a client that was connected before: what it was, then its packets; no rule is asked of other clients", async () => {
  const asked: string[] = [];
  await start({
    hooks: {
      authorize: ({ clientId }, action, topic) => {
        asked.push(`${clientId} ${action} ${topic}`);
        return topic !== "no";
      },
    },
  });
  const other = await traced.fixture.connect(5, { clientId: "other" });
  const client = await traced.fixture.connect(5, { clientId: "c", properties: { sessionExpiryInterval: 60 } });
  await client.subscribe("t", { qos: 1 });
  await other.publish("yes", "x");
  await client.publish("yes", "x");
  asked.length = 0;
  const text = await trace({ client: "c", seconds: 10 }, async () => {
    await other.publish("yes", "x");
    await client.publish("yes", "x");
    await client.publish("no", "x");
  });
  expect(asked).toEqual(["c publish yes", "c publish no"]);
  const [state, ...records] = recordsOf(text);
  expect(state).toMatchObject({
    kind: "state",
    connected: true,
    protocolVersion: 5,
    sessionExpiryInterval: 60,
    subscriptions: [{ filter: "t", qos: 1, noLocal: false }],
  });
  expect(records).toMatchObject([
    { kind: "packet", packet: { type: "publish", topic: "yes" } },
    { kind: "authorize", action: "publish", topic: "yes", reasonCode: 0 },
    { kind: "routed", message: { topic: "yes" }, sessions: 0, groups: 0, peers: 0 },
    { kind: "packet", packet: { type: "publish", topic: "no" } },
    { kind: "authorize", topic: "no", reasonCode: 0x87 },
    { kind: "dropped", side: "publisher", reason: "notAuthorized" },
    { kind: "end", reason: "time", records: 7 },
  ]);
  asked.length = 0;
  await client.publish("yes", "x");
  await client.publish("yes", "x");
  expect(asked).toEqual(["c publish yes"]); // the trace has left nothing behind but one question
});

test("why somebody does not get a message: queued, dropped with the reason, refused by a rule", async () => {
  await start({
    limits: { maxQueuedMessages: 1, overflow: "drop-new" },
    hooks: {
      authorize: (_client, action, topic) =>
        action === "receive" && topic === "t/secret" ? { reasonCode: 0x87, rule: "nobody reads secrets" } : true,
    },
  });
  const away = await traced.fixture.connect(5, { clientId: "away", properties: { sessionExpiryInterval: 600 } });
  await away.subscribe("t/#", { qos: 1 });
  await away.disconnect();
  const text = await trace({ topic: "t/#" }, async () => {
    const publisher = await traced.fixture.connect(5, { clientId: "p" });
    await publisher.publish("t/secret", "x", { qos: 1 });
    await publisher.publish("t/1", "x", { qos: 1 });
    await publisher.publish("t/2", "x", { qos: 1 });
    await publisher.publish("t/3", "x");
    await publisher.publish("u", "x");
    const back = await traced.fixture.connect(5, {
      clientId: "away",
      cleanStart: false,
      properties: { sessionExpiryInterval: 600 },
    });
    await back.expect("publish");
  });
  const found = recordsOf(text).map((one) => {
    const topic = "message" in one ? one.message.topic : "topic" in one ? one.topic : "";
    const reason = "reason" in one ? one.reason : "";
    return `${one.kind} ${topic} ${reason}`.trim();
  });
  expect(found).toEqual([
    "routed t/secret",
    "dropped t/secret notAuthorized",
    "explain t/secret",
    "routed t/1",
    "queued t/1",
    "routed t/2",
    "dropped t/2 queueFull",
    "routed t/3",
    "dropped t/3 offline",
    "delivered t/1",
    "end  time",
  ]);
  expect(recordsOf(text).find(({ kind }) => kind === "explain")).toMatchObject({
    opinions: [{ decision: "deny", rule: "nobody reads secrets" }],
  });
});

test("a refused CONNECT with the rule that refused it", async () => {
  await start({ hooks: { authenticate: () => ({ reasonCode: 0x86, rule: "wrong password" }) } });
  const text = await trace({ client: "c" }, async () => {
    const client = traced.fixture.open(5);
    client.send({ type: "connect", protocolVersion: 5, clientId: "c", cleanStart: true, keepAlive: 0 });
    await client.expect("connack");
  });
  expect(recordsOf(text)).toMatchObject([
    { kind: "packet", packet: { type: "connect" } },
    { kind: "refused", reasonCode: 0x86, rule: expect.stringContaining("wrong password") as string },
    { kind: "packet", packet: { type: "connack", reasonCode: 0x86 } },
    { kind: "end" },
  ]);
});

test("memory is bounded: a reader that takes nothing misses lines, and is told how many", async () => {
  await start();
  const lines = await traced.admin.call("trace.run", { topic: "t", maxBytes: 1_073_741_824 });
  const reader = lines[Symbol.asyncIterator]();
  const first = await reader.next();
  expect(first.value).toMatchObject({ kind: "header" });
  for (let count = 0; count < 25_000; count++) traced.fixture.broker.publish("t", "x");
  await traced.fixture.clock.advance(60_000);
  const kinds = new Map<string, number>();
  let lost = 0;
  for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
    kinds.set(next.value.kind, (kinds.get(next.value.kind) ?? 0) + 1);
    if (next.value.kind === "lost") lost = Number(next.value["records"]);
  }
  expect(kinds.get("routed")).toBeLessThanOrEqual(20_000);
  expect((kinds.get("routed") ?? 0) + lost).toBe(25_000);
  expect([kinds.get("lost"), kinds.get("end")]).toEqual([1, 1]);
});

test("it ends when it is as long as it may be", async () => {
  await start();
  const text = await trace({ topic: "t", maxBytes: 1_024 }, async () => {
    for (let count = 0; count < 100; count++) traced.fixture.broker.publish("t", "x");
  });
  const records = recordsOf(text);
  expect(records.at(-1)).toMatchObject({ kind: "end", reason: "bytes", records: records.length - 1 });
  expect(records.length).toBeLessThan(20);
});

test("it leaves no tap behind, also when its reader goes", async () => {
  await start();
  const { operations } = traced.fixture.broker;
  const client = await traced.fixture.connect(5, { clientId: "c" });
  const controller = new AbortController();
  const lines = await traced.admin.call("trace.run", { client: "c", topic: "t" }, undefined, controller.signal);
  const reader = lines[Symbol.asyncIterator]();
  await reader.next();
  controller.abort();
  await reader.return?.();
  await client.publish("t", "x");
  await client.expectAlive();
  expect(operations.session("c")?.connected).toBe(true);
  for (let count = 0; count < 5; count++) {
    const again = await traced.admin.call("trace.run", { client: "c" });
    const iterator = again[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.return?.();
  }
});

test("client or topic must be given, and only four traces run", async () => {
  await start();
  await expect(traced.admin.call("trace.run", {})).rejects.toMatchObject({ code: "invalid_input" });
  const controller = new AbortController();
  for (let count = 0; count < 4; count++)
    await traced.admin.call("trace.run", { client: "c" }, undefined, controller.signal);
  await expect(traced.admin.call("trace.run", { client: "c" })).rejects.toMatchObject({ code: "too_many_requests" });
  controller.abort();
  const after = await traced.admin.call("trace.run", { client: "c" });
  await after[Symbol.asyncIterator]().return?.();
});

test("a trace that cannot start does not count as running", async () => {
  await start();
  const { operations } = traced.fixture.broker;
  const follow = vi.spyOn(operations, "tapClient").mockImplementation(() => {
    throw new Error("not now");
  });
  for (let count = 0; count < 5; count++) {
    await expect(traced.admin.call("trace.run", { client: "c" })).rejects.toMatchObject({ code: "internal" });
  }
  follow.mockRestore();
  expect(await traced.trace({ client: "c" }, async () => {})).toMatch(/"kind":"end"/);
});
