// Administration of several workers while one of them is missing: nothing waits for ever, and every answer says what is
// not in it.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AdminClient } from "@wrenmq/admin/client";
import { expect, test } from "vitest";
import { type BrokerProcess, startBroker } from "./support/broker-process.ts";
import { runCommand } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";
import { connect, idAt } from "./support/workers.ts";

async function start() {
  const folder = await temporaryFolder();
  const config = join(folder, "c.yaml");
  const { stdout } = await runCommand(["token", "create", join(folder, "tokens"), "ada", "--role", "admin"]);
  await writeFile(
    config,
    `
workers: 2
listeners: { default: { bind: "127.0.0.1:0" } }
plugins: { anonymous: {} }
admin: { bind: "127.0.0.1:0", tokens_file: tokens }
`,
  );
  const broker = startBroker(["-c", config], { env: { XDG_RUNTIME_DIR: folder } });
  const url = await broker.address();
  const line = await broker.line(({ msg }) => msg === "the admin API listens");
  const address = String(line["address"]);
  const token = stdout.trim();
  const admin = new AdminClient({ url: address, token });
  const text = async (path: string): Promise<string> =>
    (await fetch(address + path, { headers: { authorization: `Bearer ${token}` } })).text();
  return { broker, url, admin, text, env: { XDG_RUNTIME_DIR: folder } };
}

const listening = (worker: number) => (line: Readonly<Record<string, unknown>>) =>
  line["msg"] === "listening" && line["worker"] === worker;

async function pidOf(broker: BrokerProcess, worker: number): Promise<number> {
  return Number((await broker.line(listening(worker)))["pid"]);
}

test("a worker that does not answer is named in every answer, within a bounded time", { timeout: 60_000 }, async () => {
  const { broker, url, admin, text, env } = await start();
  const [here, away] = [idAt(0, "here"), idAt(1, "away")];
  await connect(url, { clientId: here });
  await connect(url, { clientId: away });
  expect(await text("/metrics")).toMatch(/wrenmq_clients_connected 2\n[\s\S]*wrenmq_worker_up\{worker="1"\} 1\n/);
  const stuck = await pidOf(broker, 1);
  process.kill(stuck, "SIGSTOP");
  try {
    const [list, health, explained, get, numbers, ready, shown] = await Promise.all([
      admin.call("clients.list", true),
      admin.call("health", true),
      admin.call("topics.explain", true, { topic: "t" }),
      admin.call("clients.get", true, { clientId: away, sampleMs: 0 }).catch((error: unknown) => error),
      text("/metrics"),
      text("/readyz"),
      runCommand(["stats", "--sample-ms", "0"], { env }),
    ]);
    expect(list).toMatchObject({ items: [{ clientId: here }], matched: 1, incomplete: ["worker 1"] });
    expect(health).toMatchObject({ ready: false, incomplete: ["worker 1"] });
    expect(explained).toMatchObject({ incomplete: ["worker 1"] });
    expect(get).toMatchObject({ code: "unavailable", message: "no answer from worker 1" });
    expect(numbers).toMatch(/wrenmq_clients_connected 1\n[\s\S]*wrenmq_worker_up\{worker="1"\} 0\n/);
    expect(JSON.parse(ready)).toMatchObject({ ready: false, checks: { workers: false } });
    expect(shown).toMatchObject({ code: 0, stderr: "no answer from worker 1: what it has is missing here\n" });
    // What any worker can say is still said.
    expect(await admin.call("retained.list", true, { filter: "none" })).toMatchObject({ matched: 0 });
  } finally {
    process.kill(stuck, "SIGCONT");
  }
  await expect.poll(() => admin.call("clients.list", true)).toMatchObject({ matched: 2 });
  expect(await admin.call("health", true)).toMatchObject({ ready: true });
});

test("a worker that was started again knows the bans, and that the broker is drained", {
  timeout: 60_000,
}, async () => {
  const { broker, url, admin } = await start();
  const banned = idAt(1, "banned");
  await admin.call("clients.ban", false, { value: banned, seconds: 600 });
  const kill = async (): Promise<void> => {
    const seen = broker.lines.length;
    const { pid } = ((await admin.call("stats", true, { sampleMs: 0 })) as { workers: { pid: number }[] })
      .workers[1] as { pid: number };
    process.kill(pid, "SIGKILL");
    await broker.line(({ msg }) => msg === "a worker ended; it is started again", seen);
    await broker.line(listening(1), seen);
    await expect.poll(() => admin.call("health", true)).not.toHaveProperty("incomplete");
  };
  await kill();
  const refusal = async (clientId: string): Promise<string> =>
    connect(url, { clientId }).then(
      () => "none",
      (error: unknown) => (error as Error).message,
    );
  await expect.poll(() => refusal(banned)).toMatch(/Not authorized/);
  expect(await admin.call("clients.bans", true)).toMatchObject({ items: [{ value: banned }] });

  await admin.call("drain", false, { rate: 0 });
  await kill();
  await expect.poll(() => refusal(idAt(1, "new"))).not.toBe("none");
  expect(await admin.call("health", true)).toMatchObject({ ready: false });
  await admin.call("drain", false, { cancel: true });
  expect(await refusal(idAt(1, "new"))).toBe("none");
});

test("a worker that ends while it is asked is missing from the answer", { timeout: 60_000 }, async () => {
  const { broker, admin } = await start();
  const asking = admin.call("stats", true, { sampleMs: 5_000 });
  const pid = await pidOf(broker, 1);
  // The question is in the worker when a later one has been answered.
  await admin.call("metrics", true);
  process.kill(pid, "SIGKILL");
  expect(await asking).toMatchObject({ incomplete: ["worker 1"], ready: false });
});

test("the command line finds the supervisor and asks all workers", { timeout: 60_000 }, async () => {
  const { url, env } = await start();
  for (const home of [0, 1]) await connect(url, { clientId: idAt(home, "c") });
  const { stdout, stderr, code } = await runCommand(["clients", "--json"], { env });
  expect([code, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toMatchObject({ matched: 2 });
  expect((await runCommand(["kick", idAt(1, "c")], { env })).stdout).toBe("disconnected: true\n");
});
