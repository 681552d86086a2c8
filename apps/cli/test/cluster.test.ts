// `wrenmq start` with `cluster` as three processes over NATS: clients cannot tell them from one, and what was acknowledged
// stays when one is killed or stopped.
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isNatsHere, NatsServer, USER } from "../../../packages/cluster-nats/test/support/nats-server.ts";
import { type BrokerProcess, startBroker } from "./support/broker-process.ts";
import { runCommand } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";
import { connect, payloads } from "./support/workers.ts";

async function configFile(url: string, member: string, changes = ""): Promise<string> {
  const file = join(await temporaryFolder(), `${member}.yaml`);
  const text = `
listeners: { default: { bind: "127.0.0.1:0" } }
plugins: { anonymous: }
cluster:
  name: test
  member: ${member}
  servers: [${url}]
  username: ${USER.username}
  password: ${USER.password}
${changes}`;
  await writeFile(file, text);
  return file;
}

const runtime = mkdtempSync(join(tmpdir(), "wrenmq-run-"));
afterAll(() => rmSync(runtime, { recursive: true, force: true }));

function start(file: string): BrokerProcess {
  return startBroker(["-c", file], { env: { XDG_RUNTIME_DIR: runtime } });
}

function socketOf(process: BrokerProcess): string {
  return join(runtime, "wrenmq", `${process.child.pid}.sock`);
}

interface Members {
  readonly processes: readonly BrokerProcess[];
  readonly urls: readonly string[];
}

interface MembersAnswer {
  readonly items: readonly { readonly name: string; readonly state: string; readonly partitions: number }[];
}

async function membersSeenBy(process: BrokerProcess): Promise<MembersAnswer["items"]> {
  const { code, stdout, stderr } = await runCommand(["cluster", "members", "--json", "--socket", socketOf(process)]);
  if (code !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as MembersAnswer).items;
}

async function untilSeen(process: BrokerProcess, count: number): Promise<void> {
  for (;;) {
    const items = await membersSeenBy(process);
    if (items.length === count && items.every(({ partitions }) => partitions >= Math.floor(16 / count))) return;
  }
}

async function startThree(nats: NatsServer): Promise<Members> {
  const processes = await Promise.all(["a", "b", "c"].map(async (name) => start(await configFile(nats.url, name))));
  const urls = await Promise.all(processes.map((process) => process.address()));
  await untilSeen(processes[0] as BrokerProcess, 3);
  return { processes, urls };
}

describe.skipIf(!isNatsHere)("three processes with a cluster", { timeout: 60_000 }, () => {
  let nats: NatsServer;
  beforeAll(async () => {
    nats = await NatsServer.start("test");
  });
  afterAll(() => nats[Symbol.asyncDispose]());

  test("act as one; status and members say how they do; SIGTERM ends each", async () => {
    const { processes, urls } = await startThree(nats);
    const clients = await Promise.all(
      Array.from({ length: 9 }, (_, index) => connect(urls[index % 3] as string, { clientId: `c${index}` })),
    );
    const heard = clients.map((client) => payloads(client));
    for (const client of clients) await client.subscribeAsync("all/#", { qos: 1 });
    for (const [index, client] of clients.entries()) await client.publishAsync(`all/${index}`, `${index}`, { qos: 2 });
    const everything = clients.map((_, index) => `${index}`);
    for (const messages of heard) expect((await messages.first(9)).toSorted()).toEqual(everything);
    const asked = ["--json", "--socket", socketOf(processes[1] as BrokerProcess)];
    const { stdout } = await runCommand(["cluster", "status", ...asked]);
    expect(JSON.parse(stdout)).toMatchObject({
      name: "test",
      members: 3,
      up: 3,
      isConnected: true,
      isCertain: true,
      partitions: 16,
      unservedPartitions: 0,
    });
    const codes = await Promise.all(processes.map((process) => process.stop()));
    expect(codes).toEqual([0, 0, 0]);
  });

  test("one is killed: its clients connect to another, and what others have acknowledged is there", async () => {
    const { processes, urls } = await startThree(nats);
    const [first, second, third] = processes as [BrokerProcess, BrokerProcess, BrokerProcess];
    const publisher = await connect(urls[0] as string, { clientId: "publisher" });
    await publisher.publishAsync("kept", "retained", { qos: 1, retain: true });
    await second.stop("SIGKILL");
    await untilSeen(third, 2);
    const readers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        connect(urls[index % 2 === 0 ? 0 : 2] as string, { clientId: `r${index}` }),
      ),
    );
    for (const reader of readers) {
      const messages = payloads(reader);
      await reader.subscribeAsync("kept", { qos: 1 });
      expect(await messages.first(1)).toEqual(["retained"]);
    }
    // Whoever finds it first says so.
    const isDead = /^member "b" was not heard of for \d+(\.\d)? s: it is dead$/;
    await Promise.any([first, third].map((process) => process.line(({ msg }) => isDead.test(msg ?? ""))));
    await Promise.all([first.stop(), third.stop()]);
  });

  test("one is stopped for too long: it acknowledges nothing any more, and comes back as a new member", async () => {
    const { processes, urls } = await startThree(nats);
    const [first, second, third] = processes as [BrokerProcess, BrokerProcess, BrokerProcess];
    const alone = await connect(urls[1] as string, { clientId: "alone" });
    second.child.kill("SIGSTOP");
    onTestFinished(() => void second.child.kill("SIGCONT"));
    await untilSeen(third, 2);
    let isAcknowledged = false;
    const refused = alone.publishAsync("nobody", "x", { qos: 1 }).then(
      () => {
        isAcknowledged = true;
      },
      () => {},
    );
    second.child.kill("SIGCONT");
    await second.line(({ msg }) => /declared this one dead: it starts again/.test(msg ?? ""));
    alone.end(true);
    await refused;
    // What a client may have taken over by then is served by the others; this one was served by the one that was dead.
    expect(isAcknowledged).toBe(false);
    await untilSeen(first, 3);
    await Promise.all(processes.map((process) => process.stop()));
  });
});

describe.skipIf(!isNatsHere)("a cluster that cannot be joined", () => {
  test("without NATS: one line, SIGTERM ends it; with NATS it goes on", async () => {
    await using nats = await NatsServer.start("test", false);
    const file = await configFile(nats.url, "a");
    const stopped = startBroker(["-c", file]);
    const line = await stopped.line(({ msg }) => /cannot be reached/.test(msg ?? ""));
    expect(line.msg).toMatch(/^NATS \(nats:\S+\) cannot be reached: .+; trying again until it can$/);
    expect(await stopped.stop()).toBe(0);
    const patient = startBroker(["-c", file]);
    await patient.line(({ msg }) => /cannot be reached/.test(msg ?? ""));
    await nats.start();
    await patient.address();
    expect(await patient.stop()).toBe(0);
  });

  test("with wrong credentials: one line, exit code 1", async () => {
    await using nats = await NatsServer.start("test");
    const file = await configFile(nats.url, "a", "").then(async (path) => {
      await writeFile(path, (await readFile(path, "utf8")).replace(USER.password, "wrong"));
      return path;
    });
    const { code, stderr } = await runCommand(["start", "-c", file]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/wrenmq: NATS \(nats:\S+\) refuses the credentials\n$/);
    expect(stderr).not.toContain("wrong");
  });
});

test.each([
  ["a store", "store: { path: ./data }", /without cluster.replicas members of a cluster keep sessions in memory/],
  ["workers", "workers: 2", /a member of a cluster is one process/],
])("config check refuses a cluster together with %s", async (_what, more, line) => {
  const { code, stdout, stderr } = await runCommand([
    "config",
    "check",
    await configFile("nats://127.0.0.1:4222", "a", more),
  ]);
  expect(code).toBe(1);
  expect(stdout + stderr).toMatch(line);
});

test.each([
  ["--workers", "2", "wrenmq: --workers: a member of a cluster is one process\n"],
  ["--data", "data", "wrenmq: --data: without cluster.replicas members of a cluster keep sessions in memory\n"],
])("start refuses a cluster together with %s", async (option, value, line) => {
  const file = await configFile("nats://127.0.0.1:4222", "a");
  const { code, stderr } = await runCommand(["start", "-c", file, option, value], { cwd: await temporaryFolder() });
  expect([code, stderr]).toEqual([2, line]);
});
