import { readdir, readlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { type BrokerProcess, type LogLine, startBroker } from "./support/broker-process.ts";
import { runCommand } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";

/** Writes the file, sends SIGHUP, waits for what the broker says. */
async function reload(broker: BrokerProcess, file: string, text: string): Promise<LogLine> {
  await writeFile(file, text);
  const from = broker.lines.length;
  broker.child.kill("SIGHUP");
  return broker.line(({ msg }) => msg?.includes("reloaded") === true, from);
}

async function client(url: string, options: mqtt.IClientOptions = {}): Promise<MqttClient> {
  const one = await mqtt.connectAsync(url, { reconnectPeriod: 0, ...options });
  onTestFinished(() => void one.end(true));
  return one;
}

const OPEN = "plugins: { anonymous: {} }\n";

test("listeners come and go while the clients of others stay, and no message is lost", async () => {
  const file = join(await temporaryFolder(), "c.yaml");
  const first = "  a: { bind: 127.0.0.1:0 }\n";
  await writeFile(file, `listeners:\n${first}  b: { bind: 127.0.0.1:0 }\n${OPEN}`);
  const broker = startBroker(["-c", file]);
  const url = await broker.address("a");
  const [publisher, subscriber] = [await client(url), await client(url)];
  const onB = await client(await broker.address("b"));
  const closedB = new Promise<void>((resolve) => onB.once("close", () => resolve()));
  await subscriber.subscribeAsync("n", { qos: 1 });
  const received: number[] = [];
  const all = new Promise<void>((resolve) => {
    subscriber.on("message", (_topic, payload) => {
      received.push(Number(payload));
      if (received.length === 300) resolve();
    });
  });
  const publishing = (async () => {
    for (let n = 0; n < 300; n++) await publisher.publishAsync("n", String(n), { qos: 1 });
  })();
  const done = await reload(broker, file, `listeners:\n${first}  c: { bind: 127.0.0.1:0, type: ws }\n${OPEN}`);
  expect(done).toMatchObject({ listenersAdded: ["c"], listenersRemoved: ["b"] });
  await Promise.all([publishing, all, closedB]);
  expect(received).toEqual(Array.from({ length: 300 }, (_, n) => n));
  const opened = broker.lines.find(({ msg, listener }) => msg === "listening" && listener === "c");
  await (await client(String(opened?.["address"]))).publishAsync("x", "y", { qos: 1 });
});

test("a bad file changes nothing and says why", async () => {
  const file = join(await temporaryFolder(), "c.yaml");
  const good = `listeners: { a: { bind: 127.0.0.1:0 } }\n${OPEN}`;
  await writeFile(file, good);
  const broker = startBroker(["-c", file]);
  const one = await client(await broker.address("a"));
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  for (const [text, reason] of [
    ["listeners: { a: { bnd: 1 } }\n", "c.yaml:1:19: listeners.a.bnd"],
    [`listeners: { a: { bind: 127.0.0.1:0 } }\nplugins: { password-file: { file: none.txt } }\n`, "none.txt"],
    [`listeners: { a: { bind: 127.0.0.1:0 }, b: { bind: "127.0.0.1:${port}" } }\n${OPEN}`, "another process"],
  ] as const) {
    const line = await reload(broker, file, text);
    expect(line).toMatchObject({ level: 50, msg: "the configuration was not reloaded: nothing has changed" });
    expect(line["reason"]).toContain(reason);
  }
  await one.publishAsync("still", "here", { qos: 1 });
  expect((await reload(broker, file, good)).msg).toContain("nothing is different");
});

test("plugins, rules and limits change for clients that are connected", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "c.yaml");
  await runCommand(["passwd", join(folder, "users.txt"), "ada"], { input: "secret\n" });
  const listener = "listeners: { a: { bind: 127.0.0.1:0 } }\n";
  await writeFile(file, `${listener}plugins: { anonymous: { named_users: allow } }\n`);
  const broker = startBroker(["-c", file]);
  const url = await broker.address("a");
  const one = await client(url, { username: "ada", password: "secret", protocolVersion: 5 });
  await one.subscribeAsync("x/#", { qos: 1 });
  const rules = "plugins: { password-file: { file: users.txt }, acl: { subscribe: { ada: [y/#] } } }\n";
  const done = await reload(
    broker,
    file,
    `${listener}${rules}limits: { maximum_packet_size: 100B }\nlog: { level: warn }\n`,
  );
  expect(done).toMatchObject({
    pluginsAdded: ["password-file", "acl"],
    pluginsRemoved: ["anonymous"],
    limits: ["maximumPacketSize"],
  });
  await expect(one.subscribeAsync("x/1", { qos: 1 })).rejects.toThrow();
  await one.subscribeAsync("y/1", { qos: 1 });
  await expect(mqtt.connectAsync(url, { reconnectPeriod: 0 }, false)).rejects.toThrow(/not authorized/i);
  const other = mqtt.connect(url, { username: "ada", password: "secret", protocolVersion: 5, reconnectPeriod: 0 });
  onTestFinished(() => void other.end(true));
  const announced = new Promise((resolve) =>
    other.once("connect", ({ properties }) => resolve(properties?.maximumPacketSize)),
  );
  expect(await announced).toBe(100);
});

test.skipIf(process.platform !== "linux")(
  "plugins that are replaced give back what they hold, the others go on",
  async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "c.yaml");
    const text = (cache: number) =>
      `listeners: { a: { bind: 127.0.0.1:0 } }
plugins:
  anonymous:
  sql: { connection: "sqlite:///${folder}/auth.db", sync_schema: true, authenticate: false, cache: ${cache}s }
  shadows: { connection: "sqlite:///${folder}/shadows.db", keep_versions: ${cache} }
  kept: { use: shadows, connection: "sqlite:///${folder}/kept.db", serve: true }
`;
    await writeFile(file, text(10));
    const broker = startBroker(["-c", file]);
    await broker.address("a");
    const open = async () => {
      const of = `/proc/${broker.child.pid}/fd`;
      const links = await Promise.all((await readdir(of)).map((name) => readlink(join(of, name)).catch(() => "")));
      return links.filter((link) => link.startsWith(folder) && link.endsWith(".db")).toSorted();
    };
    const before = await open();
    expect(before.length).toBeGreaterThan(0);
    for (let time = 1; time <= 5; time++) {
      expect(await reload(broker, file, text(10 + time))).toMatchObject({ pluginsChanged: ["sql", "shadows"] });
      await expect.poll(open, { timeout: 10_000 }).toEqual(before);
    }
  },
);

test("a plugin whose setup never ends is named, at the start and at a reload", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "c.yaml");
  await writeFile(join(folder, "never.mjs"), "export default { name: 'n', setup: () => new Promise(() => {}) };");
  const good = `listeners: { a: { bind: 127.0.0.1:0 } }\nplugin_timeout: 50ms\n`;
  const bad = `${good}plugins: { anonymous: , stuck: { use: ./never.mjs } }\n`;
  await writeFile(file, bad);
  const { code, stderr } = await runCommand(["start", "-c", file]);
  expect(code).toBe(1);
  expect(stderr).toContain('wrenmq: plugin "stuck": its setup did not end within 50 ms');
  await writeFile(file, `${good}${OPEN}`);
  const broker = startBroker(["-c", file]);
  const url = await broker.address("a");
  const refused = await reload(broker, file, bad);
  expect(refused).toMatchObject({ reason: 'plugin "stuck": its setup did not end within 50 ms' });
  await client(url);
});
