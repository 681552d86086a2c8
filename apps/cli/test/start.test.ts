import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { describe, expect, onTestFinished, test } from "vitest";
import { startBroker } from "./support/broker-process.ts";
import { runCommand } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";

const oneLine = /^wrenmq: [^\n]+\n$/;

describe("what is wrong is said in one line", () => {
  test.each([
    ["an unknown option", ["start", "--bogus"], 2, "--bogus"],
    ["an unknown option without a command", ["--bogus"], 2, "--bogus"],
    ["an unknown command", ["bogus"], 2, "bogus"],
    ["a misspelt command", ["strat"], 2, "strat"],
    [
      "a file without -c",
      ["start", "broker.yaml"],
      2,
      "the configuration is given with -c: wrenmq start -c broker.yaml",
    ],
    ["a file as the command", ["broker.yaml"], 2, "wrenmq start -c broker.yaml"],
    ["a file after options", ["-p", "0", "broker.yaml"], 2, "wrenmq start -c broker.yaml"],
    ["a port that is none", ["-p", "70000"], 2, "0 to 65535"],
    ["an option without its value", ["start", "-c"], 2, "--config"],
    ["a wrong level of durability", ["--durability", "perhaps"], 2, "perhaps"],
    ["durability without a folder", ["--durability", "fsync"], 2, "--data"],
    ["a bound of data without a folder", ["--data-max", "1GiB"], 2, "--data"],
    ["a bound of data that is no size", ["--data", "/nowhere", "--data-max", "much"], 2, "10GiB"],
    ["a folder for data that cannot be made", ["--data", "/proc/wrenmq", "-p", "0"], 1, "/proc/wrenmq"],
    ["a file that is not there", ["-c", "/nowhere/wrenmq.yaml"], 1, "/nowhere/wrenmq.yaml"],
    ["an address that this machine has not", ["--host", "192.0.2.1", "-p", "0"], 1, "192.0.2.1"],
  ])("%s", async (_what, words, code, word) => {
    const done = await runCommand(words);
    const said = done.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
    expect(`${said.join("\n")}\n`).toMatch(oneLine);
    expect(done.stderr).toContain(word);
    expect(done.code).toBe(code);
    expect(done.stdout).toBe("");
  });

  test("a mistake in the file: file, line, column, key", async () => {
    const file = join(await temporaryFolder(), "wrenmq.yaml");
    await writeFile(file, "wrenmq: 1\nlisteners:\n  a:\n    bnd: 1883\n");
    const { code, stderr } = await runCommand(["-c", file]);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain(`${file}:4:5: listeners.a.bnd`);
    expect(code).toBe(1);
  });

  test("a port that is taken", async () => {
    const server = await listening();
    const { port } = server.address() as { port: number };
    const { code, stderr } = await runCommand(["-p", String(port)]);
    expect(stderr.split("\n").filter((line) => line.startsWith("wrenmq: "))).toEqual([
      `wrenmq: mqtt://localhost:${port}: another process listens there already`,
    ]);
    expect(stderr).not.toContain("    at ");
    expect(code).toBe(1);
  });
});

test("off a terminal the log is JSON, with a file too, unless the file or the command says otherwise", async () => {
  const server = await listening();
  const { port } = server.address() as { port: number };
  const file = join(await temporaryFolder(), "wrenmq.yaml");
  const firstLine = async (log: string, words: string[] = []): Promise<string> => {
    await writeFile(file, `listeners: { a: { bind: "127.0.0.1:${port}" } }\nplugins: { anonymous: }\n${log}`);
    return (await runCommand(["-c", file, ...words])).stderr.split("\n")[0] ?? "";
  };
  expect(JSON.parse(await firstLine(""))).toMatchObject({ msg: "WrenMQ starts" });
  expect(JSON.parse(await firstLine("log: { level: debug }\n"))).toMatchObject({ msg: "WrenMQ starts" });
  expect(await firstLine("log: { format: text }\n")).toMatch(/ info {2}WrenMQ starts /);
  expect(JSON.parse(await firstLine("log: { format: text }\n", ["--log-format", "json"]))).toBeDefined();
});

test("the version and the help are on stdout", async () => {
  const version = await runCommand(["--version"]);
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect(version).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: "" });
  const help = await runCommand(["start", "--help"]);
  expect(help.code).toBe(0);
  for (const option of ["--config", "--port", "--host", "--data", "--durability", "--debug", "--log-format"]) {
    expect(help.stdout).toContain(option);
  }
});

test("without a file everyone on this machine may connect, and the first lines say so", async () => {
  const broker = startBroker(["-p", "0"]);
  const line = await broker.line(({ msg }) => msg === "clients may connect");
  expect(line).toMatchObject({ listener: "default", who: "everyone, no password is asked" });
  expect(line["address"]).toMatch(/^mqtt:\/\/localhost:\d+$/);
  expect(broker.lines.indexOf(line)).toBeLessThan(5);
  expect(broker.lines.filter(({ level }) => Number(level) > 30)).toEqual([]);
});

test.each([1, 2])(
  "of plugins the first lines name those that say who may enter, not those that watch (%i)",
  async (workers) => {
    const folder = await temporaryFolder();
    const plugin = (hooks: string): string => `export default { name: "x", setup: () => ({ ${hooks} }) };`;
    await writeFile(join(folder, "door.mjs"), plugin("authenticate: () => true"));
    await writeFile(join(folder, "watcher.mjs"), plugin("connected() {}, authorize: () => true"));
    const file = join(folder, "wrenmq.yaml");
    const listeners = "listeners: { a: { bind: 127.0.0.1:0 }, b: { bind: 127.0.0.1:0, access: [watcher] } }";
    await writeFile(file, `${listeners}\nplugins: { watcher: { use: ./watcher.mjs }, door: { use: ./door.mjs } }\n`);
    const broker = startBroker(["-c", file, "--workers", String(workers)]);
    await broker.line(({ msg, listener }) => msg === "clients may connect" && listener === "b");
    const said = broker.lines.filter(({ msg }) => msg === "clients may connect");
    expect(said.map(({ listener, who }) => [listener, who])).toEqual([
      ["a", 'whoever plugin "door" accepts'],
      ["b", "nobody: no plugin lets clients in"],
    ]);
    expect(await broker.stop("SIGTERM")).toBe(0);
  },
);

test("anonymous access from other machines is warned of", async () => {
  const file = join(await temporaryFolder(), "wrenmq.yaml");
  await writeFile(file, 'listeners:\n  open: { bind: "0.0.0.0:0" }\nplugins:\n  anonymous: {}\n');
  const broker = startBroker(["-c", file]);
  const warning = await broker.line(({ level }) => level === 40);
  expect(warning.msg).toContain("anonymous clients may connect from other machines");
});

test("it warms up for clients while there are none, unless it is told not to", async () => {
  const prepared = ({ msg }: { msg?: unknown }): boolean => msg === "warmed up for clients";
  const broker = startBroker(["-p", "0", "-d"]);
  expect(await broker.line(prepared)).toMatchObject({ done: true });
  await broker.stop("SIGTERM");
  const file = join(await temporaryFolder(), "wrenmq.yaml");
  await writeFile(file, 'listeners:\n  default: { bind: "127.0.0.1:0" }\nplugins:\n  anonymous: {}\nwarm_up: false\n');
  for (const words of [
    ["-p", "0", "--no-warm-up"],
    ["-c", file],
  ]) {
    const cold = startBroker([...words, "-d"]);
    await cold.address();
    expect(await cold.stop("SIGTERM")).toBe(0);
    // It would say so by then, whether it has been done or stopped.
    expect(cold.lines.find(prepared)).toBeUndefined();
  }
});

test("readable lines when asked for", async () => {
  const server = await listening();
  const { port } = server.address() as { port: number };
  const { stderr } = await runCommand(["-p", String(port), "--log-format", "text"]);
  expect(stderr).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}WrenMQ starts version=/);
});

describe("signals", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("%s: clients are told, exit code 0", async (signal) => {
    const broker = startBroker(["-p", "0"]);
    const client = await mqtt.connectAsync(await broker.address(), { protocolVersion: 5, reconnectPeriod: 0 });
    const told = new Promise<number | undefined>((resolve) => {
      client.once("disconnect", ({ reasonCode }) => resolve(reasonCode));
    });
    expect(await broker.stop(signal)).toBe(0);
    expect(await told).toBe(0x8b);
    expect(broker.lines.at(-1)?.msg).toBe("stopped");
    client.end(true);
  });

  test("a signal while it starts is heeded when it has started", async () => {
    const broker = startBroker(["-p", "0"]);
    await broker.line(({ msg }) => msg === "WrenMQ starts");
    expect(await broker.stop()).toBe(0);
  });

  test("the second signal ends it at once", async () => {
    const folder = await temporaryFolder();
    const never =
      "export default { name: 'never', setup: () => ({}), close: () => new Promise((r) => setTimeout(r, 1e8)) };";
    await writeFile(join(folder, "never.mjs"), never);
    const listener = "listeners:\n  default: { bind: 127.0.0.1:0 }\n";
    await writeFile(join(folder, "wrenmq.yaml"), `${listener}plugins:\n  never: { use: ./never.mjs }\n`);
    const broker = startBroker(["-c", join(folder, "wrenmq.yaml")]);
    await broker.address();
    const closed = once(broker.child, "close") as Promise<[number | null]>;
    broker.child.kill("SIGTERM");
    await broker.line(({ msg }) => msg === "shutting down");
    const again = setInterval(() => broker.child.kill("SIGTERM"), 50);
    const [code] = await closed;
    clearInterval(again);
    expect(code).toBe(1);
    expect(broker.lines.at(-1)?.msg).toContain("stopped at once");
  });
});

async function listening(): Promise<Server> {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return server;
}

test("a WebSocket message longer than max_payload, and a plugin slower than plugin_timeout", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "wrenmq.yaml");
  await writeFile(join(folder, "slow.mjs"), SLOW_PLUGIN);
  const web = (rest: string): string => `{ type: ws, bind: "127.0.0.1:0", access: [anonymous], ${rest} }`;
  await writeFile(
    file,
    `wrenmq: 1
plugin_timeout: 40ms
plugins: { anonymous: , slow: { use: ./slow.mjs } }
listeners: { small: ${web("max_payload: 1KiB")}, usual: ${web("")}, slow: { bind: "127.0.0.1:0", access: [slow] } }
`,
  );
  const broker = startBroker(["-c", file]);
  const publish = async (listener: string): Promise<string> => {
    const client = await mqtt.connectAsync(await broker.address(listener), { reconnectPeriod: 0 });
    const closed = new Promise<string>((resolve) => client.once("close", () => resolve("closed")));
    const outcome = client.publishAsync("t", "x".repeat(4_000), { qos: 1 }).then(
      () => "taken",
      () => closed,
    );
    const what = await Promise.race([outcome, closed]);
    client.end(true);
    return what;
  };
  expect([await publish("small"), await publish("usual")]).toEqual(["closed", "taken"]);
  const options = { reconnectPeriod: 0, username: "u", password: "p" };
  await expect(mqtt.connectAsync(await broker.address("slow"), options)).rejects.toThrow();
  await broker.line((line) => JSON.stringify(line).includes("within 40 ms"));
});

const SLOW_PLUGIN = `export default () => ({
  name: "slow",
  setup: () => ({ authenticate: () => new Promise(() => {}) }),
});
`;

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

test.skipIf(!hasIpv6).each([1, 2])("clients find it on both addresses of localhost (%i workers)", async (workers) => {
  const port = await startBroker(["-p", "0", "--workers", String(workers)]).port();
  for (const host of ["127.0.0.1", "[::1]"]) {
    const client = await mqtt.connectAsync(`mqtt://${host}:${port}`, { reconnectPeriod: 0 });
    await client.endAsync();
  }
});
