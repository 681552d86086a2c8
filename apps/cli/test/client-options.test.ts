// What people type for `wrenmq pub` and `wrenmq sub`, and what the client makes of it.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { parseBrokerUrl } from "../src/client/broker-url.ts";
import { clientCommand } from "../src/client/client-command.ts";
import type { ClientOptions } from "../src/client/client-options.ts";
import { clientSettings } from "../src/client/connect.ts";
import { startBroker } from "./support/broker-process.ts";
import { runCommand } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";

/** What a client is made of, for these words. */
async function settings(words: readonly string[], isInputTaken = false) {
  const command = clientCommand("pub", "")
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse(words, { from: "user" });
  const { url, options } = await clientSettings("pub", command.opts<ClientOptions>(), isInputTaken);
  return { url: url.href, ...options };
}

describe("a password in the URL", () => {
  test.each([
    ["mqtt://ada:secret@host", "ada", "secret"],
    ["mqtt://ada:se:cr:et@host:1884", "ada", "se:cr:et"],
    ["mqtt://ada:se%3Acr%3aet@host", "ada", "se:cr:et"],
    ["mqtt://a%3Ada:se:cret@host", "a:da", "se:cret"],
    ["mqtt://ada:se@cr@et@host", "ada", "se@cr@et"],
    ["mqtt://ada:100%@host", "ada", "100%"],
    ["mqtt://ada:a%2Fb%23c%3Fd@host", "ada", "a/b#c?d"],
    ["wss://ada:x:y@host/mqtt?a=b@c", "ada", "x:y"],
    ["mqtt://ada@host", "ada", undefined],
    ["mqtt://:x:y@host", undefined, "x:y"],
    ["mqtt://host", undefined, undefined],
  ])("%s", async (text, username, password) => {
    const found = parseBrokerUrl(text);
    expect([found.username, found.password]).toEqual([username, password]);
    expect(found.url.href).not.toMatch(/@(?!c)/);
    expect(found.url.hostname).toBe("host");
    if (username === undefined && password !== undefined) return;
    expect(await settings(["--url", text])).toMatchObject(
      password === undefined ? {} : { username, password, url: found.url.href },
    );
  });

  test.each([
    "mqtt://ada:se#cr@host",
    "mqtt://ada:se/cr@host",
    "http://ada:secr@host",
    "ada:secr@host",
    "mqtt://ada:secr@",
  ])("%s: the message does not show it", (text) => {
    expect(() => parseBrokerUrl(text)).toThrow(/^not the URL of a broker: (?!.*(se.?cr|ada))/);
  });

  test("the broker sees user and password as they are, and its log neither the one in the other's place", async () => {
    const folder = await temporaryFolder();
    await runCommand(["passwd", join(folder, "users.txt"), "ada"], { input: "se:cr:et\n" });
    const file = join(folder, "c.yaml");
    await writeFile(
      file,
      "listeners: { default: { bind: 127.0.0.1:0 } }\nplugins: { password-file: { file: users.txt } }\nlog: { level: debug }\n",
    );
    const broker = startBroker(["-c", file]);
    const port = String(await broker.port());
    const pub = async (words: string[], env = {}, input = ""): Promise<unknown> =>
      (await runCommand(["pub", "-t", "a", ...words], { env, input })).code;
    const nothing = ["-n", "-h", "127.0.0.1", "-p", port];
    expect(await pub(["-n", "--url", `mqtt://ada:se:cr:et@127.0.0.1:${port}`])).toBe(0);
    expect(await pub(["-n", "--url", `mqtt://ada:se%3Acr%3Aet@127.0.0.1:${port}`])).toBe(0);
    expect(await pub([...nothing, "-u", "ada", "-P", "se:cr:et"])).toBe(0);
    expect(await pub([...nothing, "-u", "ada"], { WRENMQ_PASSWORD: "se:cr:et" })).toBe(0);
    expect(await pub([...nothing, "-u", "ada", "-P"], {}, "se:cr:et\n")).toBe(0);
    await writeFile(join(folder, "secret"), "se:cr:et\nmore\n");
    expect(await pub([...nothing, "-u", "ada", "--password-file", join(folder, "secret")])).toBe(0);
    expect(await pub([...nothing, "-u", "ada", "-P", "wrong"])).toBe(1);
    await broker.stop();
    expect(JSON.stringify(broker.lines)).not.toMatch(/ada:se|cr:et|wrong/);
  }, 60_000);
});

describe("as people type it", () => {
  test.each([
    [["-h", "mq.example"], "mqtt://mq.example:1883"],
    [["-h", "::1", "-p", "1884"], "mqtt://[::1]:1884"],
    [["-h", "[::1]"], "mqtt://[::1]:1883"],
    [["-p", "1884"], "mqtt://127.0.0.1:1884"],
    [["-h", "mq.example", "--insecure"], "mqtts://mq.example:8883"],
    [["-h", "mq.example", "-p", "8884", "--ca-data", rootCertificates[0] as string], "mqtts://mq.example:8884"],
    [[], "mqtt://127.0.0.1:1883"],
  ])("%#: %j", async (words, url) => {
    expect((await settings(words)).url).toBe(url);
  });

  test.each([
    ["mqttv5", 5],
    ["5", 5],
    ["5.0", 5],
    ["mqttv311", 4],
    ["311", 4],
    ["3.1.1", 4],
    ["mqttv31", 3],
    ["3.1", 3],
  ])("-V %s", async (word, protocolVersion) => {
    expect((await settings(["-V", word])).protocolVersion).toBe(protocolVersion);
  });

  test.each([
    [["-u", "ada"], { username: "ada" }],
    [["-u", "ada", "-P", "x"], { username: "ada", password: "x" }],
    [["-u", "bob", "--url", "mqtt://ada:x@host"], { username: "bob" }],
    [["-P", "y", "--url", "mqtt://ada:x@host"], { username: "ada", password: "y" }],
    [["-P", "y", "-V", "5"], { password: "y" }],
  ])("%j: credentials", async (words, expected) => {
    const { username, password } = await settings(words);
    expect({ username, password }).toEqual({ username: undefined, password: undefined, ...expected });
  });

  test("the password of the environment is for the user who has no other", async () => {
    vi.stubEnv("WRENMQ_PASSWORD", "env");
    onTestFinished(() => void vi.unstubAllEnvs());
    const passwordOf = async (words: string[]) => (await settings(words)).password;
    expect(await passwordOf(["-u", "ada"])).toBe("env");
    expect(await passwordOf(["--url", "mqtt://ada@host"])).toBe("env");
    expect(await passwordOf(["--url", "mqtt://ada:url@host"])).toBe("url");
    expect(await passwordOf(["-u", "ada", "-P", "own"])).toBe("own");
    expect(await passwordOf([])).toBeUndefined();
  });

  test.each([
    [["-h", "a", "--url", "mqtt://b"], /--url says host and port already/],
    [["-h", "a b"], /--host a b/],
    [["-h", "user@host"], /--host user@host/],
    [["-P", "x"], /needs a user name/],
    [["-u", "a", "-P", "x", "--password-file", "f"], /--password or --password-file/],
    [["-V", "4"], /3\.1, 3\.1\.1 or 5/],
    [["--will-topic", "a/#", "--will-message", "x"], /the will's topic has a wildcard/],
  ])("%j is refused", async (words, message) => {
    await expect(settings(words)).rejects.toThrow(message);
  });

  test("a password cannot be read from where the message comes from", async () => {
    await expect(settings(["-u", "a", "-P"], true)).rejects.toThrow(/WRENMQ_PASSWORD or --password-file/);
  });
});

describe("pub", () => {
  test.each(["0", "1", "2"])("QoS %s: a wildcard or an empty topic is refused without a connection", async (qos) => {
    for (const [topic, reason] of [
      ["a/#", "the topic has a wildcard, which only subscriptions may have: a/#"],
      ["+/a", "the topic has a wildcard, which only subscriptions may have: +/a"],
      ["", "the topic is empty"],
    ] as const) {
      const done = await runCommand(["pub", "--url", "mqtt://127.0.0.1:1", "-t", topic, "-n", "-q", qos]);
      expect([done.code, done.stderr]).toEqual([2, `wrenmq: ${reason}\n`]);
    }
  });

  test("a server that does not speak TLS is said in words", async () => {
    const server = createServer((socket) => socket.on("error", () => {}).end("hello, not TLS\r\n")).listen(
      0,
      "127.0.0.1",
    );
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const { stderr } = await runCommand(["pub", "--url", `mqtts://127.0.0.1:${port}`, "-t", "a", "-n"]);
    expect(stderr).toBe(`wrenmq: cannot connect to 127.0.0.1:${port}: the other side does not speak TLS\n`);
  });
});

describe("the client configuration of aMQTT", () => {
  const DEFAULT = `---
keep_alive: 10
ping_delay: 1
default_qos: 0
default_retain: false
auto_reconnect: true
connection_timeout: 60
reconnect_retries: 2
reconnect_max_interval: 10
cleansession: true
broker:
  uri: "mqtt://127.0.0.1"
plugins:
  amqtt.plugins.logging_amqtt.PacketLoggerPlugin:
`;
  const reading = async (text: string, words: string[] = []) => {
    const file = join(await temporaryFolder(), "client.yaml");
    await writeFile(file, text);
    return settings(["-c", file, ...words]);
  };

  test.each([
    ["default_client.yaml", DEFAULT],
    ["the same with the list of older files", DEFAULT.replace(/plugins:[\s\S]*/, "plugins: [packet_logger_plugin]\n")],
    ["nothing given for what may be left out", `${DEFAULT}connection:\n  cafile: null\ntopics:\nwill:\n`],
  ])("%s is accepted", async (_what, text) => {
    expect(await reading(text)).toMatchObject({
      url: "mqtt://127.0.0.1:1883",
      keepalive: 10,
      clean: true,
      connectTimeout: 60_000,
    });
  });

  test("-h and -p stand over the file's address, and leave its scheme", async () => {
    const text = "broker: { uri: wss://ada:x@mq.example:9001/mqtt }\n";
    expect(await reading(text, ["-p", "9002"])).toMatchObject({
      url: "wss://mq.example:9002/mqtt",
      username: "ada",
      password: "x",
    });
  });

  test.each([
    ["keep_alve: 5\n", /client\.yaml: keep_alve: unknown key/],
    ["keep_alive: 5\nkeep-alive: 6\n", /client\.yaml: keep-alive: this key was already given/],
    ["default_qos: [1\n", /client\.yaml:\d+:\d+: not valid YAML: [^\n]*$/],
    ["topics: [a]\n", /client\.yaml: topics: expected a mapping/],
    ["plugins: [my.Plugin]\n", /client\.yaml: plugins: my\.Plugin: this command has no plugins/],
  ])("%j: one line with file and key", async (text, message) => {
    await expect(reading(text)).rejects.toThrow(message);
  });

  test("a file that is not there", async () => {
    await expect(settings(["-c", "/no/such/file.yaml"])).rejects.toThrow("/no/such/file.yaml: no such file or folder");
  });
});
