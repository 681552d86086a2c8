// SIGHUP and listeners: what is refused has changed nothing and disconnected nobody, what changes in place disconnects
// nobody, and a new listener listens before an old one is closed.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { describe, expect, onTestFinished, test } from "vitest";
// The transport's tests make certificates; another maker of them would be a copy.
import { identityOf, OpensslAuthority } from "../../../packages/transport/test/openssl.ts";
import { type BrokerProcess, type LogLine, startBroker } from "./support/broker-process.ts";
import { makeCertificate } from "./support/certificate.ts";
import { temporaryFolder } from "./support/folder.ts";

const NOT_RELOADED = "the configuration was not reloaded: nothing has changed";

async function reload(broker: BrokerProcess, file: string, text: string): Promise<LogLine> {
  await writeFile(file, text);
  const from = broker.lines.length;
  broker.child.kill("SIGHUP");
  return broker.line(({ msg }) => msg?.includes("reloaded") === true, from);
}

/** A client, and whether it has been there all the time. */
async function client(url: string, options: mqtt.IClientOptions = {}): Promise<MqttClient & { stayed(): boolean }> {
  const one = mqtt.connect(url, { reconnectPeriod: 0, rejectUnauthorized: false, ...options });
  onTestFinished(() => void one.end(true));
  let closed = false;
  one
    .on("error", () => {})
    .on("close", () => {
      closed = true;
    });
  await new Promise<void>((resolve, reject) => {
    one.once("connect", () => resolve()).once("close", () => reject(new Error("not let in")));
  });
  return Object.assign(one, { stayed: () => !closed });
}

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return (server.address() as { port: number }).port;
}

const OPEN = "plugins: { anonymous: {} }\n";

describe.each([1, 2])("%i workers", (workers) => {
  const head = `workers: ${workers}\n${OPEN}`;

  test("a reload that is refused has changed nothing and disconnected nobody", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "c.yaml");
    const { certificate } = await makeCertificate(folder);
    copyFileSync(certificate, join(folder, "ca.pem"));
    mkdirSync(join(folder, "empty"));
    writeFileSync(
      join(folder, "broken.pem"),
      `${readFileSync(certificate, "utf8")}-----BEGIN CERTIFICATE-----\nMIIB\n`,
    );
    const taken = await takenPort();
    const config = ({ tls = "", a = "", more = "" }): string => `${head}listeners:
  plain: { bind: 127.0.0.1:0${a} }
  secure:
    type: tls
    bind: 127.0.0.1:0
    tls: { certificate_file: server.crt, key_file: server.key, request_certificate: true, ${tls || "ca_file: ca.pem"} }
${more}`;
    await writeFile(file, config({}));
    const broker = startBroker(["-c", file]);
    const [plain, secure] = [await broker.address("plain"), await broker.address("secure")];
    const witnesses = [await client(plain), await client(secure)];
    const bad: readonly (readonly [string, RegExp])[] = [
      [config({ tls: "ca_file: ca.pem, ciphers: NONSENSE" }), /no cipher match/],
      [config({ tls: "require_certificate: true" }), /no authority to check/],
      [config({ tls: "ca_path: empty" }), /no certificate .*in the folder|is empty/],
      [config({ tls: "ca_file: broken.pem" }), /certificate \d in .*broken\.pem cannot be read/],
      [config({ tls: "ca_file: missing.pem" }), /missing\.pem/],
      [config({ more: `  third: { bind: "127.0.0.1:${taken}" }\n` }), /another process/],
      [config({ a: ", backlog: 7", more: `  third: { bind: "127.0.0.1:${taken}" }\n` }), /another process/],
      [config({}).replace("plain: { bind: 127.0.0.1:0", `plain: { bind: "127.0.0.1:${taken}"`), /another process/],
      [config({ more: "  bad: { type: unix, path: /nowhere/at/all }\n" }), /directory|folder/],
    ];
    for (const [text, reason] of bad) {
      const line = await reload(broker, file, text);
      expect(line, text).toMatchObject({ level: 50, msg: NOT_RELOADED });
      expect(line["reason"]).toMatch(reason);
      for (const witness of witnesses) await witness.publishAsync("still", "here", { qos: 1 });
    }
    expect(witnesses.map((one) => one.stayed())).toEqual([true, true]);
    for (const url of [plain, secure]) await (await client(url)).publishAsync("x", "y", { qos: 1 });
  }, 60_000);

  test("what keeps type and address changes in place, and whoever is there stays", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "c.yaml");
    await makeCertificate(folder);
    const authority = new OpensslAuthority("Devices");
    onTestFinished(() => authority.remove());
    copyFileSync(authority.cert, join(folder, "ca.pem"));
    const config = (tls: string, more: { tcp?: string; ws?: string } = {}): string => `${head}listeners:
  secure: { type: tls, bind: 127.0.0.1:0, tls: { certificate_file: server.crt, key_file: server.key${tls} } }
  plain: { bind: 127.0.0.1:0${more.tcp ?? ""} }
  web: { type: ws, bind: 127.0.0.1:0${more.ws ?? ", path: /a"} }
`;
    await writeFile(file, config(""));
    const broker = startBroker(["-c", file]);
    const [secure, plain, web] = [
      await broker.address("secure"),
      await broker.address("plain"),
      await broker.address("web"),
    ];
    const witnesses = [await client(secure), await client(plain), await client(web)];
    const done = await reload(
      broker,
      file,
      config(", ca_file: ca.pem, require_certificate: true", { tcp: ", linger: 1s, backlog: 100", ws: ", path: /b" }),
    );
    expect(done).toMatchObject({ msg: "configuration reloaded", listenersChanged: ["secure", "plain", "web"] });
    await expect(client(secure)).rejects.toThrow("not let in");
    await (await client(secure, identityOf(authority.issue("/CN=device")))).publishAsync("a", "b", {
      qos: 1,
    });
    await (await client(plain)).publishAsync("a", "b", { qos: 1 });
    await expect(client(web)).rejects.toThrow("not let in");
    await (await client(web.replace("/a", "/b"))).publishAsync("a", "b", { qos: 1 });
    for (const witness of witnesses) await witness.publishAsync("still", "here", { qos: 1 });
    await reload(broker, file, config(""));
    await (await client(secure)).publishAsync("a", "b", { qos: 1 });
    expect(witnesses.map((one) => one.stayed())).toEqual([true, true, true]);
  }, 60_000);

  test("another address of the same port: the old listener makes room, and comes back if the new one cannot be", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "c.yaml");
    const port = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        const { port: free } = server.address() as { port: number };
        server.close(() => resolve(free));
      });
    });
    const config = (bind: string, more = ""): string => `${head}listeners:\n  a: { bind: "${bind}:${port}" }\n${more}`;
    await writeFile(file, config("0.0.0.0"));
    const broker = startBroker(["-c", file]);
    await broker.address("a");
    const url = `mqtt://127.0.0.1:${port}`;
    const first = await client(url);
    const taken = await takenPort();
    const refused = await reload(broker, file, config("127.0.0.1", `  b: { bind: "127.0.0.1:${taken}" }\n`));
    expect(refused).toMatchObject({ msg: NOT_RELOADED });
    await first.publishAsync("still", "here", { qos: 1 });
    const second = await client(url);
    expect(first.stayed()).toBe(true);
    const done = await reload(broker, file, config("127.0.0.1"));
    expect(done).toMatchObject({ msg: "configuration reloaded", listenersReopened: ["a"] });
    const closing = (one: MqttClient): Promise<void> => new Promise((resolve) => one.once("close", () => resolve()));
    await Promise.all([first, second].filter((one) => one.stayed()).map(closing));
    await (await client(url)).publishAsync("a", "b", { qos: 1 });
    const renamed = await reload(broker, file, config("127.0.0.1").replace("  a:", "  c:"));
    expect(renamed).toMatchObject({ listenersAdded: ["c"], listenersRemoved: ["a"] });
    await (await client(url)).publishAsync("a", "b", { qos: 1 });
  }, 60_000);
});

test("plugins that do not start, or listeners that do not listen, leave rules and clients as they were", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "c.yaml");
  const taken = await takenPort();
  await writeFile(
    join(folder, "bad.mjs"),
    `export default { name: "bad", setup() { throw new Error("not today"); } };`,
  );
  const strict = 'plugins: { anonymous: {}, acl: { subscribe: { anonymous: ["b/#"] } } }\n';
  await writeFile(file, `listeners: { a: { bind: 127.0.0.1:0 } }\n${OPEN}`);
  const broker = startBroker(["-c", file]);
  const one = await client(await broker.address("a"));
  await one.subscribeAsync("a/#", { qos: 1 });
  for (const text of [
    `listeners: { a: { bind: 127.0.0.1:0 }, b: { bind: "127.0.0.1:${taken}" } }\n${strict}`,
    `listeners: { a: { bind: 127.0.0.1:0 } }\nplugins: { anonymous: {}, bad: { use: ./bad.mjs } }\n`,
  ]) {
    expect(await reload(broker, file, text)).toMatchObject({ msg: NOT_RELOADED });
  }
  // Had the strict rules been in force for a moment, the subscription would be gone.
  const received = new Promise((resolve) => one.once("message", (_topic, payload) => resolve(payload.toString())));
  await one.publishAsync("a/1", "still there", { qos: 1 });
  expect(await received).toBe("still there");
  expect(broker.lines.some(({ msg }) => msg?.includes("ends a subscription") === true)).toBe(false);
});

test("a certificate that was renewed is told in one line, also with several workers", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "c.yaml");
  await makeCertificate(folder);
  const text = `workers: 2\nlisteners: { s: { type: tls, bind: 127.0.0.1:0, tls: { certificate_file: server.crt, key_file: server.key, watch_files: false } } }\n${OPEN}`;
  await writeFile(file, text);
  const broker = startBroker(["-c", file]);
  await broker.address("s");
  const made = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-subj",
    "/CN=renewed",
    "-days",
    "5",
  ];
  execFileSync("openssl", [...made, "-keyout", "server.key", "-out", "server.crt"], { cwd: folder, stdio: "ignore" });
  await reload(broker, file, text);
  const ends = await broker.line(({ msg }) => msg === "a certificate ends soon");
  expect(ends).toMatchObject({ level: 40, listener: "s", subject: "CN=renewed" });
  const told = broker.lines.filter(({ msg }) => msg === "a certificate was read anew");
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ level: 30, listener: "s", subject: "CN=renewed", file: join(folder, "server.crt") });
  expect(Date.parse(String(told[0]?.["ends"]))).toBeGreaterThan(Date.now());
});
