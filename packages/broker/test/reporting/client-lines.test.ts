// What the log says of clients: that they come and go, and what they are refused.
import { expect, test } from "vitest";
import { MemoryLogger, startBroker } from "../support.ts";

const lines = (logger: MemoryLogger, level: string): [string, object][] =>
  logger.lines.filter((line) => line.level === level).map(({ message, fields }) => [message, fields]);

test("a client that comes and one that goes are logged at the same level", async () => {
  const logger = new MemoryLogger();
  const fixture = await startBroker({ logger });
  const client = await fixture.connect(5, { clientId: "pump" });
  await client.disconnect();
  await fixture.stop();
  const ofClients = logger.lines.filter(({ message }) => message.startsWith("client "));
  expect(ofClients.map(({ level, message }) => `${level}: ${message}`)).toEqual([
    "info: client connected",
    "info: client disconnected",
  ]);
});

test("a publish and a subscription that rules refuse are logged at info, each with its rule", async () => {
  const logger = new MemoryLogger();
  const authorize = (_client: unknown, action: string, topic: string) =>
    topic === "open" ? undefined : { reasonCode: 0x87, rule: `no ${action} in the list` };
  const fixture = await startBroker({ logger, hooks: { authorize } as never });
  const client = await fixture.connect(5, { clientId: "pump" });
  expect(await client.publish("shut", "x", { qos: 1 })).toBe(0x87);
  expect((await client.subscribe("shut/#")).reasonCodes).toEqual([0x87]);
  expect(await client.publish("$SYS/broker/version", "x", { qos: 1 })).toBe(0x87);
  await fixture.stop();
  expect(lines(logger, "info").filter(([message]) => message.endsWith("refused"))).toEqual([
    [
      "publish refused",
      expect.objectContaining({ clientId: "pump", topic: "shut", rule: "test: no publish in the list" }),
    ],
    [
      "subscribe refused",
      expect.objectContaining({ clientId: "pump", topic: "shut/#", rule: "test: no subscribe in the list" }),
    ],
  ]);
  // Bridges publish there all the time, and operators can do nothing about it.
  expect(lines(logger, "debug").filter(([message]) => message.endsWith("refused"))).toEqual([
    ["publish refused", expect.objectContaining({ topic: "$SYS/broker/version", rule: "$SYS is the server's own" })],
  ]);
});

test("what a plugin refuses in the hooks publish and subscribe is logged too", async () => {
  const logger = new MemoryLogger();
  const refuse = () => ({ reasonCode: 0x87, rule: "not on Sundays" });
  const fixture = await startBroker({ logger, hooks: { publish: refuse, subscribe: refuse } as never });
  const client = await fixture.connect(5, { clientId: "pump" });
  await client.publish("a", "x", { qos: 1 });
  await client.subscribe("b");
  await fixture.stop();
  expect(lines(logger, "info").filter(([message]) => message.endsWith("refused"))).toMatchObject([
    ["publish refused", { topic: "a", rule: "test: not on Sundays" }],
    ["subscribe refused", { topic: "b", rule: "test: not on Sundays" }],
  ]);
});

test("one client has a bounded number of such lines, the others have theirs", async () => {
  const logger = new MemoryLogger();
  const authorize = () => ({ reasonCode: 0x87, rule: "nothing" });
  const fixture = await startBroker({ logger, hooks: { authorize } as never });
  const refusals = (clientId: string): object[] =>
    lines(logger, "info").flatMap(([message, fields]) =>
      message.endsWith("refused") && (fields as { clientId: string }).clientId === clientId ? [fields] : [],
    );
  const flood = await fixture.connect(5, { clientId: "flood" });
  for (let number = 0; number < 40; number++) await flood.publish(`t/${number}`, "x", { qos: 1 });
  const other = await fixture.connect(5, { clientId: "other" });
  await other.publish("t", "x", { qos: 1 });
  expect([refusals("flood").length, refusals("other").length]).toEqual([5, 1]);
  await fixture.clock.advance(60_000);
  expect(lines(logger, "info").at(-1)).toEqual([
    "the client was refused more often, line by line no more",
    { clientId: "flood", username: undefined, times: 35 },
  ]);
  // A new window, and new lines.
  await flood.publish("again", "x", { qos: 1 });
  expect(refusals("flood")).toHaveLength(6);
  await fixture.stop();
});

test("$SYS does not fire published; what is published in the broker's name does", async () => {
  const seen: string[] = [];
  const fixture = await startBroker({
    sys: { intervalSeconds: 10 },
    hooks: { published: (_client, { topic }) => void seen.push(topic) },
  });
  const client = await fixture.connect(5, { clientId: "watcher" });
  await client.subscribe("$SYS/broker/uptime", { qos: 0 });
  await client.rest();
  await fixture.clock.advance(10_000);
  expect((await client.messages()).length).toBeGreaterThan(0);
  fixture.broker.publish("mine", "x");
  expect(seen).toEqual(["mine"]);
  await fixture.stop();
});
