// The files after a crash: cut off as a power failure does it, spoiled, or in use; with the real command.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dialTcp, RawClient, RealPace } from "@wrenmq/testkit";
import { expect, inject, onTestFinished, test } from "vitest";
import { BrokerProcess } from "../src/brokers/broker-process.ts";
import { runProgram } from "../src/check-folder.ts";
import { Random } from "../src/random.ts";

const session = { clientId: "s", cleanStart: false };

function newPlace(): { readonly data: string; readonly program: string; readonly broker: BrokerProcess } {
  const folder = mkdtempSync(join(tmpdir(), "wrenmq-files-"));
  const data = join(folder, "data");
  const program = inject("wrenmq");
  const broker = new BrokerProcess({ program, data, durability: "batch" });
  onTestFinished(async () => {
    await broker.crash();
    rmSync(folder, { recursive: true, force: true });
  });
  return { data, program, broker };
}

async function dial(port: number | undefined): Promise<RawClient> {
  const client = new RawClient(await dialTcp("127.0.0.1", port as number), 4, new RealPace());
  onTestFinished(() => client.destroy());
  return client;
}

/** A session with messages 0 to `count` - 1 in its queue, and a broker that was killed. */
async function killedWithQueue(broker: BrokerProcess, count: number): Promise<void> {
  const port = await broker.start();
  const subscriber = await dial(port);
  await subscriber.connect(session);
  await subscriber.subscribe("a", { qos: 1 });
  await subscriber.disconnect();
  const publisher = await dial(port);
  await publisher.connect({ clientId: "p" });
  for (let i = 0; i < count; i++) await publisher.publish("a", `${i}`, { qos: 1 });
  await broker.crash();
}

function lastJournal(data: string): string {
  const files = readdirSync(data).filter((name) => name.endsWith(".journal"));
  return join(data, files.toSorted().at(-1) as string);
}

test("a journal whose end is cut off loses its end and nothing else", { timeout: 60_000 }, async () => {
  const random = new Random(7);
  const { data, program, broker } = newPlace();
  await killedWithQueue(broker, 60);
  let before = 60;
  for (let round = 0; round < 3; round++) {
    const file = lastJournal(data);
    truncateSync(file, statSync(file).size - random.between(1, 600));
    const client = await dial(await broker.start());
    await client.connect(session);
    const came = await client.messages();
    expect(came).toEqual(Array.from(came, (_, i) => `${i}`));
    expect(came.length).toBeLessThanOrEqual(before);
    expect(came.length).toBeGreaterThan(0);
    before = came.length;
    await broker.crash();
    expect((await runProgram(program, ["store", "check", data])).code).toBe(0);
  }
});

test("a spoiled file is named in one line and left as it is; dump reads the rest", { timeout: 60_000 }, async () => {
  const { data, program, broker } = newPlace();
  await killedWithQueue(broker, 60);
  // Stopped and started, all of it is known to be on disk: what cannot be read then is damage, not a torn end.
  for (let i = 0; i < 2; i++) {
    await broker.start();
    await broker.stop();
  }
  const file = lastJournal(data);
  const bytes = readFileSync(file);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] as number) ^ 0x10;
  writeFileSync(file, bytes);
  await expect(broker.start()).rejects.toThrow(/\.journal/);
  const complaints = broker.output.split("\n").filter((line) => line.startsWith("wrenmq: "));
  expect(complaints).toHaveLength(1);
  expect(readFileSync(file).equals(bytes)).toBe(true);
  expect((await runProgram(program, ["store", "check", data])).code).toBe(1);
  expect((await runProgram(program, ["store", "dump", data])).stdout).toContain('"clientId":"s"');
});

test("a folder in use is refused in one line, also to the tools; after a kill it is free", {
  timeout: 60_000,
}, async () => {
  const { data, program, broker } = newPlace();
  await broker.start();
  for (const words of [
    ["start", "-p", "0", "--data", data],
    ["store", "compact", data],
  ]) {
    const { code, stderr } = await runProgram(program, words);
    expect(code).toBe(1);
    expect(stderr.split("\n").filter((line) => line.startsWith("wrenmq: "))).toHaveLength(1);
  }
  await broker.crash();
  expect(await broker.start()).toBeGreaterThan(0);
});
