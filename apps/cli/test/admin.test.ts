// A running broker, seen and steered from the command line over its Unix socket.
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ALL_COMMANDS, fieldsOf } from "@wrenmq/admin";
import mqtt from "mqtt";
import { describe, expect, test } from "vitest";
import { ADMIN_WORDS } from "../src/admin/names.ts";
import { createProgram } from "../src/program.ts";
import { startBroker } from "./support/broker-process.ts";
import { runCommand } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";

describe("the table on the command line", () => {
  test.each(ALL_COMMANDS.map((command) => [command.cli.words, command] as const))(
    "wrenmq %s",
    async (words, command) => {
      const [first, second] = words.split(" ");
      const program = await createProgram(first);
      const top = program.commands.find((one) => one.name() === first);
      const found = second === undefined ? top : top?.commands.find((one) => one.name() === second);
      expect(found, words).toBeDefined();
      const options = found?.options.map((option) => option.attributeName()) ?? [];
      const names = found?.registeredArguments.map((argument) =>
        argument.name().replaceAll(/-[a-z]/g, (two) => two.slice(1).toUpperCase()),
      );
      for (const { name } of fieldsOf(command)) expect([...options, ...(names ?? [])]).toContain(name);
      expect(options).toEqual(expect.arrayContaining(["socket", "data", "json"]));
    },
  );

  test("--help shows all of them without loading any", async () => {
    const words = new Set(ALL_COMMANDS.map(({ cli }) => cli.words.split(" ")[0]));
    const others = new Set(["explain", "topics"]);
    expect(new Set([...Object.keys(ADMIN_WORDS), ...others])).toEqual(new Set([...words, "top", ...others]));
    const help = (await createProgram()).helpInformation();
    for (const word of Object.keys(ADMIN_WORDS)) expect(help).toMatch(new RegExp(`^  ${word}\\b`, "m"));
  });
});

/** Each command is a process of its own. */
const MANY_PROCESSES = 120_000;

/** A broker with a client, and the command line of the same user. */
async function startWithClient() {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  const env = { XDG_RUNTIME_DIR: folder };
  const broker = startBroker(["-p", "0", "--data", data], { env });
  const url = await broker.address();
  const client = await mqtt.connectAsync(url, { clientId: "meter\u001b[2J", protocolVersion: 5, reconnectPeriod: 0 });
  client.on("error", () => {});
  await client.subscribeAsync("t/#", { qos: 1 });
  const wrenmq = (...words: string[]) => runCommand(words, { env });
  return { broker, data, client, wrenmq };
}

test("on the same machine without a token: clients, one client, retained messages", {
  timeout: MANY_PROCESSES,
}, async () => {
  const { data, wrenmq } = await startWithClient();
  expect((await stat(join(data, "wrenmq.sock"))).mode & 0o777).toBe(0o600);

  const clients = await wrenmq("clients");
  expect(clients).toMatchObject({ code: 0, stderr: "" });
  expect(clients.stdout).toMatch(/^clientId .*\nmeter\\u001b\[2J .*\n$/);
  const details = await wrenmq("client", "meter\u001b[2J", "--json", "--sample-ms", "0", "--data", data);
  expect(JSON.parse(details.stdout)).toMatchObject({ connected: true, subscriptionList: [{ filter: "t/#", qos: 1 }] });
  expect((await wrenmq("publish", "t/1", "--payload", "hello", "--retain")).stdout).toBe("delivered: true\n");
  expect((await wrenmq("retained", "get", "t/1")).stdout).toContain("payload: hello\n");
  expect((await wrenmq("retained", "export")).stdout).toMatch(/^\{"topic":"t\/1",.*\}\n$/);
  expect((await wrenmq("retained", "delete", "t/#", "--dry-run")).stdout).toContain("matched: 1\ndeleted: 0\n");
});

test("and why a message comes or does not, numbers, health, reload", { timeout: MANY_PROCESSES }, async () => {
  const { wrenmq } = await startWithClient();
  expect((await wrenmq("topics", "explain", "t/1")).stdout).toMatch(/total: 1\n[\s\S]*sent/);
  expect((await wrenmq("explain", "t/1", "-i", "meter\u001b[2J")).stdout).toBe("allowed\n");
  expect((await wrenmq("top", "-n", "1")).stdout).toMatch(/clientsConnected: 1\n[\s\S]*meter/);
  expect((await wrenmq("health")).code).toBe(0);
  expect((await wrenmq("reload")).stdout).toMatch(/^changed: false\n/);
  expect((await wrenmq("reload", "--dry-run")).stdout).toMatch(/^changed: false\n/);
});

test("and sending a client away; a mistake names the option", { timeout: MANY_PROCESSES }, async () => {
  const { broker, data, client, wrenmq } = await startWithClient();
  const closed = new Promise((resolve) => client.once("close", () => resolve(undefined)));
  expect((await wrenmq("ban", "meter\u001b[2J", "--seconds", "60")).stdout).toMatch(/disconnected: 1\n/);
  await closed;
  expect((await wrenmq("bans")).stdout).toContain("meter");
  expect(await wrenmq("kick", "nobody")).toMatchObject({
    code: 1,
    stderr: 'wrenmq: no client "nobody" is connected\n',
  });
  const wrong = await wrenmq("clients", "--limit", "5000");
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/^wrenmq: --limit: [^\n]*1000[^\n]*\n$/)]);
  expect(broker.lines).toContainEqual(
    expect.objectContaining({ msg: "administrative command", command: "clients.ban", who: "local socket" }),
  );
  await broker.stop();
  expect(await wrenmq("clients")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^wrenmq: no broker of this user/),
  });
  expect((await wrenmq("clients", "--data", data)).stderr).toMatch(
    /^wrenmq: [^\n]*wrenmq\.sock: no broker answers there\n$/,
  );
});

describe("the admin API", () => {
  test("answers where it is configured, to the role of the token; the command line can use it, too", async () => {
    const folder = await temporaryFolder();
    const tokens = join(folder, "tokens");
    const token = (await runCommand(["token", "create", tokens, "ada", "--role", "read"])).stdout.trim();
    const file = join(folder, "c.yaml");
    await writeFile(
      file,
      "listeners: { default: { bind: 127.0.0.1:0 } }\nplugins: { anonymous: {} }\nadmin: { bind: 127.0.0.1:0, tokens_file: tokens }\n",
    );
    const broker = startBroker(["-c", file], { env: { XDG_RUNTIME_DIR: folder } });
    const url = String((await broker.line(({ msg }) => msg === "the admin API listens"))["address"]);
    const env = { WRENMQ_ADMIN_TOKEN: token, WRENMQ_ADMIN_URL: url };
    expect(await runCommand(["listeners"], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("default"),
    });
    const refused = await runCommand(["drain"], { env });
    expect(refused).toMatchObject({ code: 1, stderr: "wrenmq: drain needs the role admin, the token has read\n" });
  });

  test.each([
    ["bind: 0.0.0.0:0", "add tls, or say insecure: true"],
    ["bind: 0.0.0.0:0, tls: { certificate_file: c, key_file: k }", "add tokens_file, or say insecure: true"],
    ["bind: 127.0.0.1:0, tokens_file: none", "cannot read the file"],
    ["bind: 127.0.0.1:nowhere", "expected an address such as 127.0.0.1:18080"],
  ])("%s is refused by config check and start", async (keys, message) => {
    const file = join(await temporaryFolder(), "c.yaml");
    await writeFile(file, `listeners: { default: { bind: 127.0.0.1:0 } }\nadmin: { ${keys} }\n`);
    for (const words of [
      ["config", "check", file],
      ["start", "-c", file],
    ]) {
      const { code, stderr } = await runCommand(words);
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
  });
});

test("systemd hears that the broker is ready, is alive, and stops", async () => {
  const folder = await temporaryFolder();
  const log = join(folder, "told");
  await mkdir(join(folder, "bin"));
  await writeFile(join(folder, "bin", "systemd-notify"), `#!/bin/sh\necho "$@" >> ${log}\n`, { mode: 0o755 });
  const env = {
    PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
    NOTIFY_SOCKET: join(folder, "none"),
    WATCHDOG_USEC: "100000",
    XDG_RUNTIME_DIR: folder,
  };
  const broker = startBroker(["-p", "0"], { env });
  await broker.address();
  const told = async (): Promise<string> => readFile(log, "utf8").catch(() => "");
  await expect.poll(told, { timeout: 20_000 }).toMatch(/--pid=\d+ READY=1\n[\s\S]*WATCHDOG=1/);
  await broker.stop();
  expect(await told()).toContain("STOPPING=1");
});

test("a trace of a client is written to a new file and printed; a bad file is one line", {
  timeout: MANY_PROCESSES,
}, async () => {
  const { data, client, wrenmq } = await startWithClient();
  const file = join(data, "trace");
  const tracing = wrenmq("trace", "--client", "meter\u001b[2J", "--for", "3s", "--payloads", "-o", file);
  let isOver = false;
  void tracing.then(() => {
    isOver = true;
  });
  // Traffic for as long as the trace runs, a bounded load; nothing depends on how much it is.
  for (let count = 0; !isOver; count++) {
    await client.publishAsync("t/1", `number ${count}`, { qos: 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await tracing).toMatchObject({ code: 0, stdout: "" });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const shown = await wrenmq("trace", "show", file);
  expect(shown.stdout).toMatch(/^WrenMQ .*client "meter\\u001b\[2J", for 3 s, with payloads\n/);
  expect(shown.stdout).toMatch(/ → PUBLISH {2}"t\/1" {2}payload \d+ bytes "number \d+" {2}QoS 1 {2}id \d+\n/);
  expect(shown.stdout).toMatch(/ ← PUBACK {2}id \d+ {2}0x00 Success\n/);
  expect(shown.stdout).toMatch(/ sent at QoS 1\n/);
  expect(shown.stdout).toMatch(/the end: the time is over; \d+ lines\n$/);
  expect(await wrenmq("trace", "replay", file)).toMatchObject({
    code: 0,
    // A note comes first where a message was on its way when the trace began.
    stdout: expect.stringMatching(/(?:^|\n)\d+ packets sent, \d+ answers compared\n$/),
  });
  await writeFile(
    `${file}.other`,
    (await readFile(file, "utf8")).replace(/("puback","packetId":\d+,"reasonCode":)0/, "$1151"),
  );
  const other = await wrenmq("trace", "replay", `${file}.other`);
  expect(other).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/trace\.other: the answers of this broker differ\n$/),
  });
  expect(other.stdout).toMatch(/recorded: .*PUBACK .*0x97 Quota exceeded\nreplayed: .*PUBACK .*0x00 Success\n/);
  expect(await wrenmq("trace", "--topic", "#", "--for", "1s", "-o", file)).toMatchObject({
    code: 1,
    stderr: `wrenmq: ${file}: the file is there already\n`,
  });
  await writeFile(`${file}.cut`, (await readFile(file, "utf8")).slice(0, -10));
  expect(await wrenmq("trace", "show", `${file}.cut`)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^wrenmq: [^\n]*trace\.cut: line \d+: it is cut off[^\n]*\n$/),
  });
  expect(await wrenmq("trace")).toMatchObject({ code: 2 });
});
