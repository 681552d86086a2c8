// Administration of several workers while one of them is missing: nothing waits for ever, and every answer says what is
// not in it.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AdminClient } from "@wrenmq/admin/client";
import { readTrace } from "@wrenmq/admin/trace";
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

test("a trace has the packets and decisions of all workers in one file, in their order", {
  timeout: 60_000,
}, async () => {
  const { url, env } = await start();
  const file = join(await temporaryFolder(), "trace");
  const publisher = idAt(0, "pub");
  const subscribers = [idAt(0, "here"), idAt(1, "away")];
  for (const clientId of subscribers) await (await connect(url, { clientId })).subscribeAsync("t/#", { qos: 1 });
  const client = await connect(url, { clientId: publisher });
  const words = ["trace", "--client", publisher, "--topic", "t/#", "--seconds", "3", "-o", file];
  let isOver = false;
  const tracing = runCommand(words, { env }).finally(() => {
    isOver = true;
  });
  // For as long as the trace runs; nothing depends on how many there are.
  let sent = 0;
  while (!isOver) await client.publishAsync(`t/${sent++}`, "x", { qos: 1 });
  expect(await tracing).toMatchObject({ code: 0 });

  const { header, records } = readTrace(await readFile(file, "utf8"));
  expect(header).toMatchObject({ client: publisher, topic: "t/#" });
  expect(records.filter(({ kind }) => kind === "end")).toHaveLength(1);
  expect(records.at(-1)).toMatchObject({ kind: "end", reason: "time", records: records.length - 1 });
  const times = records.slice(0, -1).map(({ at }) => at);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  /** Where in the file something is, by what it is and the topic. */
  const places = new Map<string, number>();
  for (const [index, record] of records.entries()) {
    if (record.kind === "packet" && record.packet.type === "publish") places.set(`in ${record.packet.topic}`, index);
    if (record.kind === "routed") places.set(`routed ${record.message.topic}`, index);
    if (record.kind === "delivered") places.set(`${record.client} ${record.message.topic}`, index);
  }
  const stepsOf = (topic: string): (number | undefined)[] =>
    [`in ${topic}`, `routed ${topic}`, ...subscribers.map((id) => `${id} ${topic}`)].map((what) => places.get(what));
  const whole = Array.from({ length: sent }, (_, number) => stepsOf(`t/${number}`)).filter(
    (steps): steps is number[] => !steps.includes(undefined),
  );
  expect(whole.length).toBeGreaterThan(0);
  const isInOrder = ([came = 0, routed = 0, ...delivered]: number[]): boolean =>
    came < routed && delivered.every((place) => routed < place);
  expect(whole.filter((steps) => !isInOrder(steps))).toEqual([]);
  const shown = await runCommand(["trace", "show", file]);
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect(shown.stdout.trimEnd().split("\n")).toHaveLength(records.length + 1);
});
