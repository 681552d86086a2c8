// What the system does to the process: signals at odd times, a full disk under its log, clients that hold on.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { open, rename, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type ReloadOptions, reloading } from "@wrenmq/host";
import type { Logger } from "pino";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { effectiveConfig } from "../src/broker/effective-config.ts";
import { startBroker } from "./support/broker-process.ts";
import { makeCertificate } from "./support/certificate.ts";
import { temporaryFolder } from "./support/folder.ts";

const CONNECT = Buffer.from("100d00044d5154540402003c000161", "hex");
const CONNACK = "20020000";
const OPEN = "plugins: { anonymous: {} }\n";
const FULL = "/dev/full";

function dial(where: { readonly port: number; readonly host: string } | { readonly path: string }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(where);
    onTestFinished(() => void socket.destroy());
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket.off("error", reject).on("error", () => {})));
  });
}

/** Its outputs go where the test says. */
function spawnTo(words: readonly string[], stdout: number | "ignore" | "pipe", stderr: number | "pipe"): ChildProcess {
  const child = spawn(process.execPath, [inject("wrenmq"), ...words], { stdio: ["ignore", stdout, stderr] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

describe.skipIf(!existsSync(FULL))("a full disk", () => {
  test("under the log: the broker serves, and stops when it is told", async () => {
    const folder = await temporaryFolder();
    const [file, path] = [join(folder, "c.yaml"), join(folder, "s")];
    await writeFile(file, `listeners: { a: { type: unix, path: ${path} } }\nlog: { level: debug }\n${OPEN}`);
    const child = spawnTo(["start", "-c", file], "ignore", openSync(FULL, "w"));
    const ended = once(child, "close");
    let socket: Socket | undefined;
    while (socket === undefined && child.exitCode === null) socket = await dial({ path }).catch(() => undefined);
    socket?.write(CONNECT);
    const [answer] = (await once(socket as Socket, "data")) as [Buffer];
    expect(answer.toString("hex")).toBe(CONNACK);
    child.kill("SIGTERM");
    expect((await ended)[0]).toBe(0);
  });

  test("under the output of a command: one line, exit code 1", async () => {
    const child = spawnTo(["config", "schema"], openSync(FULL, "w"), "pipe");
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const [code] = (await once(child, "close")) as [number];
    expect(said).toMatch(/^wrenmq: the output cannot be written: [^\n]+\n$/);
    expect(code).toBe(1);
  });

  test("under what is wrong: the exit code says it", async () => {
    const [code] = (await once(spawnTo(["start", "--bogus"], "ignore", openSync(FULL, "w")), "close")) as [number];
    expect(code).toBe(2);
  });
});

describe.skipIf(process.platform === "win32")("SIGHUP", () => {
  test("before the configuration is read does not end the broker", async () => {
    const file = join(await temporaryFolder(), "c.yaml");
    const text = `listeners: { a: { bind: 127.0.0.1:0 } }\n${OPEN}`;
    execFileSync("mkfifo", [file]);
    await writeFile(`${file}.new`, text);
    const broker = startBroker(["-c", file]);
    // Waits until the broker begins to read, and makes it wait.
    const pipe = await open(file, "w");
    broker.child.kill("SIGHUP");
    await rename(`${file}.new`, file);
    await pipe.write(text);
    await pipe.close();
    await broker.address("a");
  });

  test("while it starts is heeded when it has started", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "c.yaml");
    await writeFile(
      join(folder, "hang-up.mjs"),
      `export default { name: "hang-up", async setup() {
        const heard = new Promise((resolve) => process.once("SIGHUP", resolve));
        const alive = setInterval(() => {}, 1000);
        process.kill(process.pid, "SIGHUP");
        await heard;
        clearInterval(alive);
        return {};
      } };`,
    );
    await writeFile(file, `listeners: { a: { bind: 127.0.0.1:0 } }\nplugins: { hang-up: { use: ./hang-up.mjs } }\n`);
    const broker = startBroker(["-c", file]);
    await broker.line(({ msg }) => msg?.startsWith("configuration reloaded") === true);
    const said = broker.lines.map(({ msg }) => msg);
    expect(said.indexOf("clients may connect")).toBeLessThan(said.findIndex((msg) => msg?.includes("reloaded")));
  });

  test("a flood of them: no more reloads than can find something new", async () => {
    const running = await effectiveConfig({});
    const quiet = { warn() {}, info() {}, error() {}, level: "info" } as unknown as Logger;
    let reads = 0;
    let changes = 0;
    const options: ReloadOptions = {
      running,
      logger: quiet,
      read: () => {
        reads++;
        return Promise.resolve(running);
      },
      change: () => {
        changes++;
        return new Promise((resolve) => setImmediate(resolve));
      },
    };
    const reload = reloading(options);
    const flood = (): Promise<unknown>[] => Array.from({ length: 100 }, () => reload());
    const first = flood();
    while (reads === 0) await Promise.resolve();
    const second = flood();
    await Promise.all([...first, ...second]);
    expect([reads, changes]).toEqual([2, 2]);
  });
});

test("SIGTERM: clients that have not said anything, or half of it, keep nobody waiting", async () => {
  const folder = await temporaryFolder();
  const { certificate, key } = await makeCertificate(folder);
  const file = join(folder, "c.yaml");
  const tls = `tls: { certificate_file: ${certificate}, key_file: ${key} }`;
  const rest = "bind: 127.0.0.1:0, handshake_timeout: 1h";
  const proxied = "proxy_protocol: true, trusted_proxies: [127.0.0.1], proxy_timeout: 1h";
  await writeFile(
    file,
    `listeners:
  tcp: { bind: 127.0.0.1:0, ${proxied} }
  tls: { type: tls, ${rest}, ${tls} }
  ws: { type: ws, ${rest} }
  wss: { type: wss, ${rest}, ${tls} }
  far: { type: ws, ${rest}, ${proxied} }
${OPEN}`,
  );
  const broker = startBroker(["-c", file]);
  for (const name of ["tcp", "tls", "ws", "wss", "far"]) {
    const where = { port: await broker.port(name), host: "127.0.0.1" };
    await dial(where);
    (await dial(where)).write("GET");
    (await dial(where)).write("PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n");
  }
  expect(await broker.stop()).toBe(0);
  expect(broker.lines.at(-1)?.msg).toBe("stopped");
});
