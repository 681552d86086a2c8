// The load balancers of deploy/ in front of three members of a cluster: programs of Debian, with the files as they are,
// but for addresses, folders and the certificate.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isNatsHere, NatsServer, USER } from "../../../packages/cluster-nats/test/support/nats-server.ts";
import { type BrokerProcess, startBroker } from "./support/broker-process.ts";
import { temporaryFolder } from "./support/folder.ts";
import { connect, payloads } from "./support/workers.ts";

const HAPROXY = "/usr/sbin/haproxy";
const NGINX = "/usr/sbin/nginx";
const STREAMS = "/usr/lib/nginx/modules/ngx_stream_module.so";
const isHaproxyHere = existsSync(HAPROXY);
const isNginxHere = existsSync(NGINX) && existsSync(STREAMS);
for (const [name, isHere] of [
  ["haproxy", isHaproxyHere] as const,
  ["nginx with its stream module", isNginxHere] as const,
]) {
  if (!isHere) process.stderr.write(`notice: ${name} is not installed, its tests are skipped\n`);
}

const example = (name: string): string => readFileSync(new URL(`../../../deploy/${name}`, import.meta.url), "utf8");

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Places {
  readonly process: BrokerProcess;
  readonly mqtt: number;
  readonly admin: number;
}

async function startMember(nats: NatsServer, name: string): Promise<Places> {
  const file = join(await temporaryFolder(), `${name}.yaml`);
  await writeFile(
    file,
    `
listeners: { default: { bind: "127.0.0.1:0", proxy_protocol: true, trusted_proxies: [127.0.0.1] } }
plugins: { anonymous: }
admin: { bind: "127.0.0.1:0", socket: false }
cluster: { name: test, member: ${name}, servers: [${nats.url}], username: ${USER.username}, password: ${USER.password} }
`,
  );
  const process = startBroker(["-c", file]);
  const mqtt = await process.port();
  const { address } = await process.line(({ msg }) => msg === "the admin API listens");
  return { process, mqtt, admin: Number(new URL(String(address)).port) };
}

/** Replaces what an operator replaces. @throws Error when the example has it no more */
function changed(text: string, changes: readonly (readonly [string | RegExp, string])[]): string {
  return changes.reduce((all, [from, to]) => {
    const next = all.replace(from, to);
    if (next === all) throw new Error(`the example has no ${from}`);
    return next;
  }, text);
}

/** @returns undefined: the connection was closed, or refused */
function attempt(url: string, clientId: string): Promise<MqttClient | undefined> {
  const client = mqtt.connect(url, { reconnectPeriod: 0, protocolVersion: 4, clientId });
  onTestFinished(() => void client.end(true));
  return new Promise((resolve) => {
    client.once("connect", () => resolve(client));
    client.on("error", () => resolve(undefined));
    client.once("close", () => resolve(undefined));
  });
}

/** Runs it until the end of the test; resolves with what it says when it takes connections. */
async function run(program: string, words: readonly string[], port: number): Promise<string[]> {
  const child: ChildProcess = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on("line", (line) => lines.push(line));
  }
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  });
  for (;;) {
    if (child.exitCode !== null) throw new Error(lines.join("\n"));
    const probe = await attempt(`mqtt://127.0.0.1:${port}`, "probe");
    await probe?.endAsync();
    if (probe !== undefined) return lines;
  }
}

describe.skipIf(!isNatsHere)("in front of three members of a cluster", { timeout: 90_000 }, () => {
  let nats: NatsServer;
  beforeAll(async () => {
    nats = await NatsServer.start("test");
  });
  afterAll(() => nats[Symbol.asyncDispose]());

  test.skipIf(!isHaproxyHere)(
    "HAProxy: a client identifier arrives at the same member each time, until that one is gone; others stay where they are",
    async () => {
      const members = await Promise.all(["a", "b", "c"].map((name) => startMember(nats, name)));
      const port = await freePort();
      const text = changed(example("haproxy.cfg"), [
        ["mode tcp\n", "mode tcp\n  log stdout format raw daemon\n  log-format MEMBER=%s=%[var(sess.client_id)]\n"],
        ["bind :1883", `bind 127.0.0.1:${port}`],
        [" port 18080 check-ssl ca-file /etc/haproxy/wrenmq-ca.pem", ""],
        // A member of a busy machine is no dead one: whoever is gone refuses connections.
        [" fall 2 ", " fall 100 "],
        ...members.map(
          ({ mqtt, admin }, n) =>
            [`10.0.0.${n + 1}:1883`, `127.0.0.1:${mqtt} port ${admin}`] as readonly [string, string],
        ),
      ]);
      const file = join(await temporaryFolder(), "haproxy.cfg");
      await writeFile(file, text);
      const lines = await run(HAPROXY, ["-db", "-f", file], port);
      const url = `mqtt://127.0.0.1:${port}`;
      /** HAProxy logs a connection when it is over. */
      const memberOf = async (clientId: string): Promise<string> => {
        const said = (): string[] => lines.filter((line) => line.endsWith(`=${clientId}`));
        for (;;) {
          const before = said().length;
          const client = await attempt(url, clientId);
          await client?.endAsync();
          while (said().length === before) await new Promise((resolve) => setImmediate(resolve));
          if (client !== undefined) return said().at(-1)?.split("=")[1] ?? "";
        }
      };
      const identifiers = Array.from({ length: 24 }, (_, n) => `meter-${n}`);
      const first = new Map<string, string>();
      for (const clientId of identifiers) first.set(clientId, await memberOf(clientId));
      expect([...new Set(first.values())].toSorted()).toEqual(["a", "b", "c"]);
      for (const clientId of identifiers)
        expect([clientId, await memberOf(clientId)]).toEqual([clientId, first.get(clientId)]);

      const subscriber = await connect(url, { clientId: "subscriber" });
      const heard = payloads(subscriber);
      await subscriber.subscribeAsync("all/#", { qos: 1 });
      const publishers = await Promise.all(identifiers.slice(0, 6).map((clientId) => connect(url, { clientId })));
      for (const [n, publisher] of publishers.entries()) await publisher.publishAsync(`all/${n}`, `${n}`, { qos: 1 });
      expect((await heard.first(6)).toSorted()).toEqual(["0", "1", "2", "3", "4", "5"]);
      await Promise.all([subscriber, ...publishers].map((client) => client.endAsync()));

      await members[1]?.process.stop();
      for (const clientId of identifiers) {
        const member = await memberOf(clientId);
        const before = first.get(clientId);
        if (before === "b") expect(["a", "c"]).toContain(member);
        else expect([clientId, member]).toEqual([clientId, before]);
      }
    },
  );

  test.skipIf(!isNginxHere)("nginx: clients reach a member, and another one when theirs is gone", async () => {
    const members = await Promise.all(["a", "b"].map((name) => startMember(nats, name)));
    const port = await freePort();
    const folder = await temporaryFolder();
    const text = changed(example("nginx.conf"), [
      ["load_module modules/ngx_stream_module.so;", `load_module ${STREAMS};\npid ${folder}/pid;\ndaemon off;`],
      ["worker_processes auto;\nworker_rlimit_nofile 1048576;\nevents { worker_connections 524288; }", "events {}"],
      ["listen 1883;", `listen 127.0.0.1:${port};`],
      [/\n *server 10\.0\.0\.3:1883.*/, ""],
      ...members.map(({ mqtt }, n) => [`10.0.0.${n + 1}:1883`, `127.0.0.1:${mqtt}`] as readonly [string, string]),
    ]);
    const file = join(folder, "nginx.conf");
    await writeFile(file, text);
    await run(NGINX, ["-c", file, "-p", folder, "-e", join(folder, "error.log")], port);
    const url = `mqtt://127.0.0.1:${port}`;
    const subscriber = await connect(url, { clientId: "subscriber" });
    const heard = payloads(subscriber);
    await subscriber.subscribeAsync("a", { qos: 1 });
    await (await connect(url, { clientId: "publisher" })).publishAsync("a", "through nginx", { qos: 1 });
    expect(await heard.first(1)).toEqual(["through nginx"]);
    await members[0]?.process.stop();
    while ((await attempt(url, "later")) === undefined) await new Promise((resolve) => setImmediate(resolve));
    await members[1]?.process.stop();
    expect(await attempt(url, "nobody")).toBeUndefined();
  });
});
