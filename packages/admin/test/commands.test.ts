import { MemoryStore } from "@wrenmq/store";
import { type BrokerFixture, type FixtureOptions, startBroker } from "@wrenmq/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { type Admin, type AdminError, createAdmin } from "../src/index.ts";
import { MemoryLogger } from "./support/memory-logger.ts";

const open: { readonly fixture: BrokerFixture; readonly admin: Admin }[] = [];

async function start(options: FixtureOptions = {}) {
  const fixture = await startBroker({ dropHistory: true, ...options });
  const logger = new MemoryLogger();
  const admin = createAdmin({ broker: fixture.broker, logger });
  open.push({ fixture, admin });
  return { fixture, admin, logger };
}

afterEach(async () => {
  for (const { fixture, admin } of open.splice(0)) {
    admin.close();
    await fixture.stop();
  }
});

async function refusal(promise: Promise<unknown>): Promise<AdminError> {
  return promise.then(
    () => expect.fail("it was not refused"),
    (error: unknown) => error as AdminError,
  );
}

describe("lists", () => {
  test("clients: exact, by prefix, by what they contain, sorted, page by page", async () => {
    const { fixture, admin } = await start();
    for (const clientId of ["b-2", "a-1", "a-3", "a-2"]) await fixture.connect(5, { clientId });
    const ids = async (input: Parameters<typeof admin.call<"clients.list">>[1]): Promise<string[]> =>
      (await admin.call("clients.list", input)).items.map(({ clientId }) => clientId);
    expect(await ids({})).toEqual(["a-1", "a-2", "a-3", "b-2"]);
    expect(await ids({ descending: true })).toEqual(["b-2", "a-3", "a-2", "a-1"]);
    expect(await ids({ clientId: "a-2" })).toEqual(["a-2"]);
    expect(await ids({ prefix: "a-" })).toEqual(["a-1", "a-2", "a-3"]);
    expect(await ids({ contains: "-2" })).toEqual(["a-2", "b-2"]);
    expect(await ids({ listener: "other" })).toEqual([]);
    const first = await admin.call("clients.list", { limit: 3 });
    expect(first).toMatchObject({ matched: 4, complete: true });
    const second = await admin.call("clients.list", { limit: 3, cursor: first.cursor });
    expect(second.items.map(({ clientId }) => clientId)).toEqual(["b-2"]);
    expect(second.cursor).toBeUndefined();
  });

  test("sessions: the longest queue first, those that are away, who has been away longest", async () => {
    const { fixture, admin } = await start();
    for (const [index, clientId] of ["short", "long"].entries()) {
      const client = await fixture.connect(5, { clientId, properties: { sessionExpiryInterval: 600 } });
      await client.subscribe("t", { qos: 1 });
      if (clientId === "long") await client.subscribe("u", { qos: 1 });
      await client.disconnect();
      await fixture.clock.advance(1_000 * (index + 1));
    }
    fixture.broker.publish("u", "y", { qos: 1 });
    await fixture.clock.advance(5_000);
    fixture.broker.publish("t", "x", { qos: 1 });
    await fixture.clock.advance(2_000);
    const { items } = await admin.call("sessions.list", { sort: "queued" });
    expect(items.map(({ clientId, queued, connected }) => [clientId, queued, connected])).toEqual([
      ["long", 2, false],
      ["short", 1, false],
    ]);
    const longest = await admin.call("sessions.list", { sort: "disconnectedAt" });
    expect(longest.items.map(({ clientId }) => clientId)).toEqual(["short", "long"]);
    expect((await admin.call("sessions.list", { minQueued: 2 })).items).toHaveLength(1);
    // Without a message that waits: last.
    await fixture.connect(5, { clientId: "a-new-one" });
    const waiting = await admin.call("sessions.list", { sort: "oldest" });
    expect(waiting.items.map(({ clientId, oldestSeconds }) => [clientId, oldestSeconds])).toEqual([
      ["long", 7],
      ["short", 2],
      ["a-new-one", undefined],
    ]);
  });

  test("subscriptions: of a client, with a filter, or those that a topic matches, shared ones too", async () => {
    const { fixture, admin } = await start();
    const client = await fixture.connect(5, { clientId: "c" });
    await client.subscribe(["a/+", "b/#", "$share/g/a/#"], { qos: 1 });
    const { items } = await admin.call("subscriptions.list", { topic: "a/1" });
    expect(items.map(({ filter }) => filter)).toEqual(["$share/g/a/#", "a/+"]);
    expect((await admin.call("subscriptions.list", { filter: "b/#" })).matched).toBe(1);
    expect((await admin.call("subscriptions.list", { clientId: "nobody" })).matched).toBe(0);
  });

  test("a cursor that is none is refused, and so is a page that is too long", async () => {
    const { admin } = await start();
    expect(await refusal(admin.call("clients.list", { cursor: "?" }))).toMatchObject({ field: "cursor", status: 400 });
    expect(await refusal(admin.call("clients.list", { limit: 1_001 }))).toMatchObject({ field: "limit", status: 400 });
    expect(await refusal(admin.call("clients.list", { colour: 1 } as object))).toMatchObject({ field: "colour" });
  });
});

test("a client shows its queue by QoS with the age of the oldest, what is in flight, and what it lost", async () => {
  const { fixture, admin } = await start({ limits: { maxQueuedMessages: 2, overflow: "drop-new" } });
  const properties = { sessionExpiryInterval: 600, receiveMaximum: 1 };
  const client = await fixture.connect(5, { clientId: "slow", username: "ada", properties });
  await client.subscribe("t/#", { qos: 2 });
  for (const [index, qos] of ([1, 1, 2, 1] as const).entries()) fixture.broker.publish(`t/${index}`, "x", { qos });
  await fixture.clock.advance(7_000);
  const details = await admin.call("clients.get", { clientId: "slow", sampleMs: 0 });
  expect(details).toMatchObject({
    clientId: "slow",
    username: "ada",
    connected: true,
    protocol: "5",
    expiryInterval: 600,
    queue: { messages: 2, qos1: 1, qos2: 1, oldestSeconds: 7 },
    inflightMessages: [{ packetId: 1, awaits: "PUBACK", topic: "t/0" }],
    subscriptionList: [{ filter: "t/#", qos: 2 }],
    droppedByReason: { queueFull: 1 },
    lastDrops: [{ topic: "t/3", reason: "queueFull", side: "subscriber" }],
    connection: { transport: "memory", receiveMaximum: 1 },
  });
  expect(details.connection?.bytesReceived).toBeGreaterThan(10);
  expect(details.connection?.bytesSent).toBeGreaterThan(10);
  expect(await refusal(admin.call("clients.get", { clientId: "none" }))).toMatchObject({ code: "not_found" });
});

describe("sending clients away", () => {
  test("kick closes one connection with 0x98, and the log says who did it", async () => {
    const { fixture, admin, logger } = await start();
    const client = await fixture.connect(5, { clientId: "c" });
    const caller = { who: "token x of ada", address: "192.0.2.1" };
    expect(await admin.call("clients.kick", { clientId: "c", reason: "noise" }, caller)).toEqual({
      disconnected: true,
    });
    await client.expect("disconnect", { reasonCode: 0x98, properties: { reasonString: "noise" } });
    expect(await refusal(admin.call("clients.kick", { clientId: "c" }, caller))).toMatchObject({ code: "not_found" });
    const lines = logger.lines.filter(({ message }) => message === "administrative command");
    expect(lines.map(({ fields }) => fields)).toEqual([
      { command: "clients.kick", ...caller, outcome: "done", input: { clientId: "c", reason: "noise" } },
      { command: "clients.kick", ...caller, outcome: "not_found", input: { clientId: "c" } },
    ]);
  });

  test("a ban disconnects (0x87: DISCONNECT has no 0x8A), keeps out with 0x8A for its time, by identifier, user or address, and can be lifted", async () => {
    const { fixture, admin } = await start();
    const client = await fixture.connect(5, { clientId: "c", username: "ada" });
    expect(await admin.call("clients.ban", { value: "c", seconds: 60 })).toMatchObject({ disconnected: 1 });
    expect((await client.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x87 });
    const refused = async (version: 4 | 5, connect: object): Promise<number> => {
      const again = fixture.open(version);
      again.send(again.connectPacket(connect));
      return (await again.expect("connack")).reasonCode;
    };
    expect(await refused(5, { clientId: "c" })).toBe(0x8a);
    expect(await refused(4, { clientId: "c" })).toBe(0x87);
    expect((await admin.call("clients.bans", {})).items).toMatchObject([{ kind: "clientId", value: "c" }]);
    await fixture.clock.advance(60_000);
    expect(await refused(5, { clientId: "c" })).toBe(0);
    await admin.call("clients.ban", { value: "ada", kind: "username" });
    expect(await refused(5, { clientId: "d", username: "ada" })).toBe(0x8a);
    await admin.call("clients.unban", { value: "ada", kind: "username" });
    expect(await refused(5, { clientId: "d", username: "ada" })).toBe(0);
  });

  test("disconnect needs a filter, and does nothing in a dry run", async () => {
    const { fixture, admin } = await start();
    for (const clientId of ["a-1", "a-2", "b"]) await fixture.connect(5, { clientId });
    expect(await refusal(admin.call("clients.disconnect", {}))).toMatchObject({ code: "invalid_input" });
    expect(await admin.call("clients.disconnect", { prefix: "a-", dryRun: true })).toMatchObject({
      matched: 2,
      disconnected: 0,
      clientIds: ["a-1", "a-2"],
    });
    expect(fixture.broker.connected).toBe(3);
    expect(await admin.call("clients.disconnect", { prefix: "a-" })).toMatchObject({ disconnected: 2 });
    expect(fixture.broker.connected).toBe(1);
  });

  test("drain lets nobody in (0x9C), empties at its rate, says where to go, and can be cancelled", async () => {
    const { fixture, admin } = await start();
    const clients = [];
    for (let number = 0; number < 6; number++) clients.push(await fixture.connect(5, { clientId: `c${number}` }));
    const old = await fixture.connect(4, { clientId: "old" });
    await admin.call("drain", { rate: 2, serverReference: "other.example" });
    expect(await admin.call("health", {})).toMatchObject({ ready: false });
    await fixture.clock.advance(1_000);
    expect(fixture.broker.connected).toBe(5);
    await clients[0]?.expect("disconnect", { reasonCode: 0x9c, properties: { serverReference: "other.example" } });
    const late = fixture.open(5);
    late.send(late.connectPacket({ clientId: "late" }));
    await late.expect("connack", { reasonCode: 0x9c, properties: { serverReference: "other.example" } });
    await fixture.clock.advance(3_000);
    expect(fixture.broker.connected).toBe(0);
    await old.expectClosed();
    await admin.call("drain", { cancel: true });
    await fixture.connect(5, { clientId: "back" });
    expect(await admin.call("health", {})).toMatchObject({ ready: true });
  });
});

describe("topics.explain", () => {
  test("names who gets it, who does not, and the rule that keeps it from whom", async () => {
    const rule = "acl.txt:7";
    const { fixture, admin } = await start({
      hooks: {
        authorize: ({ clientId }, action) =>
          clientId === "denied" && action === "receive" ? { reasonCode: 0x87, rule } : true,
      },
    });
    for (const clientId of ["denied", "on", "off"]) {
      const client = await fixture.connect(5, { clientId, properties: { sessionExpiryInterval: 60 } });
      await client.subscribe("t/+", { qos: 1 });
      if (clientId === "off") await client.disconnect();
    }
    const member = await fixture.connect(5, { clientId: "member" });
    await member.subscribe("$share/g/t/#", { qos: 1 });
    const answer = await admin.call("topics.explain", { topic: "t/1", publisher: "on" });
    expect(answer).toMatchObject({ total: 4, mayPublish: true, retained: false });
    expect(
      answer.recipients.map(({ clientId, outcome, rule: by, filters }) => [clientId, outcome, by, filters]),
    ).toEqual([
      ["denied", "notAuthorized", rule, ["t/+"]],
      ["on", "sent", undefined, ["t/+"]],
      ["off", "queued", undefined, ["t/+"]],
      ["member", "candidate", undefined, ["$share/g/t/#"]],
    ]);
    const atMostOnce = await admin.call("topics.explain", { topic: "t/1", qos: 0 });
    expect(atMostOnce.recipients.find(({ clientId }) => clientId === "off")?.outcome).toBe("offline");
    expect(await admin.call("explain", { topic: "t/1", clientId: "denied", action: "receive" })).toMatchObject({
      allowed: false,
      known: true,
    });
    expect(await refusal(admin.call("topics.explain", { topic: "t/#" }))).toMatchObject({ field: "topic" });
  });
});

describe("retained messages", () => {
  test("are listed, shown, exported, counted in a dry run, deleted", async () => {
    const { fixture, admin } = await start();
    const { broker } = fixture;
    for (const topic of ["b", "a/1", "a/2"]) broker.retain(topic, topic);
    broker.retain("raw", Uint8Array.of(0xff, 0x00));
    const { items } = await admin.call("retained.list", {});
    expect(items.map(({ topic, bytes }) => [topic, bytes])).toEqual([
      ["a/1", 3],
      ["a/2", 3],
      ["b", 1],
      ["raw", 2],
    ]);
    expect(await admin.call("retained.get", { topic: "a/1" })).toMatchObject({ encoding: "utf8", payload: "a/1" });
    expect(await admin.call("retained.get", { topic: "raw" })).toMatchObject({ encoding: "base64", payload: "/wA=" });
    expect(await admin.call("retained.get", { topic: "a/1", payloadBytes: 2 })).toMatchObject({
      bytes: 3,
      payload: "a/",
      truncated: true,
    });
    expect(await admin.call("retained.get", { topic: "a/1", payloadBytes: 3 })).not.toHaveProperty("truncated");
    const lines = [];
    for await (const line of await admin.call("retained.export", { filter: "a/#" })) lines.push(line.topic);
    expect(lines.sort()).toEqual(["a/1", "a/2"]);
    expect(await admin.call("retained.delete", { filter: "a/#", dryRun: true })).toMatchObject({
      matched: 2,
      deleted: 0,
    });
    expect(await admin.call("retained.delete", { filter: "a/#" })).toMatchObject({ matched: 2, deleted: 2 });
    expect([...broker.retained("#")].map(({ topic }) => topic).sort()).toEqual(["b", "raw"]);
  });
});

test("publish delivers, and its payload is not in the log", async () => {
  const { fixture, admin, logger } = await start();
  const client = await fixture.connect(5, { clientId: "c" });
  await client.subscribe("t");
  expect(await admin.call("publish", { topic: "t", payload: "aGk=", encoding: "base64" })).toEqual({ delivered: true });
  expect(await client.messages()).toEqual(["hi"]);
  expect(await admin.call("publish", { topic: "nobody", payload: "x" })).toEqual({ delivered: false });
  expect(JSON.stringify(logger.lines)).not.toContain("aGk=");
  expect(await refusal(admin.call("publish", { topic: "t", payload: "?", encoding: "base64" }))).toMatchObject({
    field: "payload",
  });
});

test("sessions.end takes the session away, and says what was lost", async () => {
  const { fixture, admin } = await start();
  fixture.broker.subscribe("gone", "t", 1);
  fixture.broker.publish("t", "x", { qos: 1 });
  expect(await admin.call("sessions.end", { clientId: "gone" })).toEqual({ ended: true, lost: 1 });
  expect(fixture.broker.session("gone")).toBeUndefined();
});

test("the broker as a whole: stats, metrics, listeners, plugins, health, reload", async () => {
  const { fixture, admin } = await start({ store: new MemoryStore() });
  await fixture.connect(5, { clientId: "c" });
  expect(await admin.call("stats", { sampleMs: 0 })).toMatchObject({ clientsConnected: 1, store: "ok", ready: true });
  expect(await admin.call("metrics", {})).toEqual(expect.objectContaining({ connectsReceived: 1 }));
  expect((await admin.call("listeners.list", {})).items).toMatchObject([
    { name: "memory", type: "external", connections: 1 },
  ]);
  expect((await admin.call("plugins.list", {})).items).toEqual([
    { name: "test", hooks: ["authenticate"], decides: true, failures: 0 },
  ]);
  expect((await admin.call("health", {})).ready).toBe(true);
  expect(await refusal(admin.call("reload", {}))).toMatchObject({ code: "unavailable", status: 503 });
});

test("what takes time is measured from the first question on: messages, and answers of plugins", async () => {
  const { fixture, admin } = await start({
    hooks: { authorize: (_client, action) => (action === "subscribe" ? Promise.resolve(true) : true) },
  });
  const client = await fixture.connect(5, { clientId: "c" });
  expect(await admin.call("stats", { sampleMs: 0 })).not.toHaveProperty("latency.p50");
  await client.subscribe("t");
  await fixture.clock.advance(20);
  await client.publish("t", "x");
  await client.take("t", "x");
  const { latency } = await admin.call("stats", { sampleMs: 0 });
  expect(Object.keys(latency ?? {})).toEqual(["p50", "p90", "p99", "p100"]);
  expect(latency?.["p50"]).toBeGreaterThan(0);
  const text = await admin.metricsText();
  expect(text).toMatch(/^wrenmq_publish_latency_seconds_count 1$/m);
  expect(text).toMatch(/^wrenmq_publish_latency_seconds_bucket\{le="0.00005"\} [01]$/m);
  expect(text).toMatch(/^wrenmq_plugin_answer_seconds_count\{plugin="test",hook="authorize"\} 1$/m);
  expect(text).toMatch(/^wrenmq_plugin_answer_seconds_bucket\{plugin="test",hook="authorize",le="10"\} 1$/m);
  expect(text).not.toContain('hook="authenticate"');
});

test("plugins that come and go do not make a label each for ever", async () => {
  const { fixture, admin } = await start();
  await admin.metricsText();
  for (let number = 0; number < 80; number++) {
    const authenticate = async (): Promise<boolean> => true;
    await fixture.broker.setPlugins([{ name: `p${number}`, setup: () => ({ authenticate }) }]);
    await (await fixture.connect(5, { clientId: "c" })).disconnect();
  }
  const counts = [...(await admin.metricsText()).matchAll(/^wrenmq_plugin_answer_seconds_count\{(.*)\} (\d+)$/gm)];
  expect(counts).toHaveLength(65);
  expect(counts.at(-1)?.slice(1)).toEqual(['plugin="others",hook="others"', "16"]);
});

test("plugins.list counts the failures of each plugin, and has the last one in words", async () => {
  const { fixture, admin } = await start({
    plugins: [
      { name: "door", setup: () => ({ authenticate: () => true }) },
      {
        name: "shaky",
        setup: () => ({
          connected: () => {
            throw new Error("the table is gone");
          },
        }),
      },
    ],
  });
  for (const clientId of ["a", "b"]) await fixture.connect(5, { clientId });
  const { items, hookFailures } = await admin.call("plugins.list", {});
  expect(hookFailures).toBe(2);
  expect(items).toEqual([
    { name: "door", hooks: ["authenticate"], decides: true, failures: 0 },
    {
      name: "shaky",
      hooks: ["connected"],
      decides: false,
      failures: 2,
      lastFailureAt: new Date(fixture.clock.now()).toISOString(),
      lastFailure: "connected: the table is gone",
    },
  ]);
});
