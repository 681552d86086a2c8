import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { describe, expect, test } from "vitest";
import { startBroker } from "./support/broker-process.ts";
import { runCommand, spawnCommand } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";

const SESSION = { clientId: "durable", clean: false, reconnectPeriod: 0, protocolVersion: 4 } as const;

describe.each(["batch", "fsync"])("--durability %s", (level) => {
  test.each(["SIGTERM", "SIGKILL"] as const)("sessions, queues and retained messages survive %s", async (signal) => {
    const data = ["--data", await temporaryFolder(), "--durability", level, "-p", "0"];
    const first = startBroker(data);
    const subscriber = await mqtt.connectAsync(await first.address(), SESSION);
    await subscriber.subscribeAsync("q/#", { qos: 2 });
    await subscriber.endAsync();
    const publisher = await mqtt.connectAsync(await first.address(), { reconnectPeriod: 0 });
    for (const qos of [1, 2] as const) await publisher.publishAsync(`q/${qos}`, `while away, ${qos}`, { qos });
    await publisher.publishAsync("q/kept", "kept", { qos: 1, retain: true });
    publisher.end(true);
    await first.stop(signal);

    const second = startBroker(data);
    const client = mqtt.connect(await second.address(), SESSION);
    const received = await messages(client, 3);
    expect(received).toEqual(["q/1 while away, 1", "q/2 while away, 2", "q/kept kept"]);
    await client.endAsync();
    const { stdout } = await runCommand(["sub", "--url", await second.address(), "-t", "q/+", "-n", "1"]);
    expect(stdout).toBe("kept\n");
    expect(await second.stop()).toBe(0);
  });
});

test("--data-max: publishers are refused when the data take so much", async () => {
  const words = ["--data", await temporaryFolder(), "-p", "0", "--data-max", "1MB"];
  const broker = startBroker(words);
  const client = await mqtt.connectAsync(await broker.address(), { reconnectPeriod: 0, protocolVersion: 5 });
  const payload = "x".repeat(100_000);
  let taken = 0;
  const refusal = await (async (): Promise<unknown> => {
    for (; taken < 20; taken++) {
      try {
        await client.publishAsync(`kept/${taken}`, payload, { qos: 1, retain: true });
      } catch (error) {
        return error;
      }
    }
    return undefined;
  })();
  expect(refusal).toMatchObject({ code: 0x97 });
  expect(taken).toBeGreaterThan(2);
  expect(taken).toBeLessThan(10);
  client.end(true);
});

test("damaged data: the broker refuses to start, unless on_damage says otherwise", async () => {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  const first = startBroker(["--data", data, "-p", "0"]);
  const url = await first.address();
  for (const topic of ["a", "b", "c"])
    await runCommand(["pub", "--url", url, "-t", topic, "-m", topic, "-r", "-q", "1"]);
  await first.stop();
  const [name = ""] = (await readdir(data)).filter((file) => file.endsWith(".journal"));
  const journal = await readFile(join(data, name));
  const at = journal.indexOf("a", 60);
  journal[at] = 0xff;
  await writeFile(join(data, name), journal);
  const file = join(folder, "wrenmq.yaml");
  const config = (store: string): Promise<void> =>
    writeFile(file, `wrenmq: 1\nlisteners: { default: { bind: "127.0.0.1:0" } }\nplugins: { anonymous: }\n${store}\n`);
  await config("store: { path: data }");
  expect(await runCommand(["-c", file])).toMatchObject({ code: 1, stderr: expect.stringContaining(name) as string });
  await config("store: { path: data, on_damage: set-aside }");
  const second = startBroker(["-c", file]);
  await second.line((line) => line["notice"] === "setAside");
  await second.address();
});

test("two brokers cannot use one folder", async () => {
  const folder = await temporaryFolder();
  const broker = startBroker(["--data", folder, "-p", "0"]);
  await broker.address();
  const { code, stderr } = await runCommand(["--data", folder, "-p", "0", "--log-format", "json"]);
  expect(code).toBe(1);
  expect(stderr.split("\n").filter((line) => line.startsWith("wrenmq: "))).toHaveLength(1);
  expect(stderr).toContain(folder);
});

describe("wrenmq store", () => {
  test("check, dump, export, import and compact", async () => {
    const folder = await temporaryFolder();
    const data = join(folder, "data");
    const broker = startBroker(["--data", data, "-p", "0"]);
    const url = await broker.address();
    await runCommand(["pub", "--url", url, "-t", "a/b", "-m", "hello", "-r", "-q", "1"]);
    expect((await runCommand(["store", "check", data])).code).toBe(1); // in use
    await broker.stop();

    const checked = await runCommand(["store", "check", data]);
    expect(checked).toMatchObject({ code: 0, stderr: "" });
    expect(checked.stdout).toMatch(/^retained: [1-9]/m);
    expect((await runCommand(["store", "dump", data])).stdout).toContain('"topic":"a/b"');
    const exported = await runCommand(["store", "export", data]);
    const copy = join(folder, "copy");
    expect(await runCommand(["store", "import", copy], { input: exported.stdout })).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect((await runCommand(["store", "export", copy])).stdout.split("\n").toSorted()).toEqual(
      exported.stdout.split("\n").toSorted(),
    );
    expect((await runCommand(["store", "compact", data])).stdout).toMatch(/^\d+ bytes before, \d+ bytes after\n$/);
  });

  test("what is not there, and what is no export", async () => {
    const folder = await temporaryFolder();
    const missing = await runCommand(["store", "check", join(folder, "none")]);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/^wrenmq: there is no store at [^\n]+\n$/);
    await writeFile(join(folder, "bad.txt"), "x");
    const file = await runCommand(["store", "check", join(folder, "bad.txt")]);
    expect(file).toMatchObject({ code: 1, stderr: `wrenmq: ${join(folder, "bad.txt")} is not a folder\n` });
    const bad = await runCommand(["store", "import", join(folder, "new")], { input: "no export\n" });
    expect(bad.code).toBe(1);
    expect(bad.stderr).toMatch(/^wrenmq: line 1 of the export[^\n]+\n$/);
  });
});

test("half of an import is not started with", async () => {
  const data = join(await temporaryFolder(), "data");
  const child = spawnCommand(["store", "import", data]);
  // It waits for its lines.
  while (!existsSync(join(data, "importing", "format.json"))) await new Promise((resolve) => setImmediate(resolve));
  const gone = once(child, "close");
  child.kill("SIGKILL");
  await gone;
  const { code, stderr } = await runCommand(["start", "--data", data, "-p", "0"]);
  expect(code).toBe(1);
  expect(stderr).toContain(`wrenmq: the import into ${data} was cut short: `);
  const empty = '{"type":"store","format":1}\n{"type":"end","lines":1}\n';
  expect(await runCommand(["store", "import", data], { input: empty })).toMatchObject({ code: 0, stderr: "" });
});

/** The first messages, in the order of their topics. */
function messages(client: MqttClient, count: number): Promise<string[]> {
  const found: string[] = [];
  return new Promise((resolve) => {
    client.on("message", (topic, payload) => {
      found.push(`${topic} ${payload}`);
      if (found.length === count) resolve(found.toSorted());
    });
  });
}
