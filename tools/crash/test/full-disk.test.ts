// A disk without room as the system reports it: the real command writes until the kernel refuses. One is a limit on the
// size of files (EFBIG), the other a small file system of its own (ENOSPC); neither needs privileges.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dialTcp, RawClient, RealPace, text } from "@wrenmq/testkit";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { BrokerProcess } from "../src/brokers/broker-process.ts";
import { runProgram } from "../src/check-folder.ts";

const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 10_000 } };
const PAD = "x".repeat(20_000);
/** Messages whose acknowledgements need more room than what the last block of a file happens to have. */
const MANY = 400;
const KILOBYTE = 1024;

/** A place where a broker runs out of room. */
interface Disk {
  readonly data: string;
  /** What a broker is started with, to run out of it. */
  readonly within: readonly string[];
  /** The tools of the system see the folder from here. */
  readonly isShared: boolean;
  /** Takes every byte that is left; undefined where room that was set aside is of no use either. */
  readonly takeLast: ((broker: BrokerProcess) => void) | undefined;
  makeRoom(broker: BrokerProcess): void;
}

/** No file may be larger than so many bytes, until the limit is lifted: of the process that runs, as it runs. */
function limitedFiles(folder: string): Disk {
  return {
    data: join(folder, "data"),
    within: ["prlimit", `--fsize=${600 * KILOBYTE}:`],
    isShared: true,
    takeLast: undefined,
    makeRoom: ({ pid }) => {
      const { status, stderr } = spawnSync("prlimit", ["--pid", `${pid}`, "--fsize=unlimited:"], { encoding: "utf8" });
      expect(status, stderr).toBe(0);
    },
  };
}

/** A file system of 6 MB that only processes of one namespace see, most of it taken by a file that can be removed. */
async function smallFileSystem(folder: string): Promise<Disk> {
  const mount = join(folder, "disk");
  mkdirSync(mount);
  const script =
    'mount -t tmpfs -o size=6m none "$0" && head -c 1000000 /dev/zero > "$0/ballast" && echo ready && exec cat';
  const holder = spawn("unshare", ["-rm", "sh", "-c", script, mount], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => endOf(holder));
  await once(holder.stdout, "data");
  return {
    data: join(mount, "data"),
    within: ["nsenter", "-t", `${holder.pid}`, "-U", "-m", "--preserve-credentials", "--"],
    isShared: false,
    takeLast: ({ pid }) => {
      const crumbs = openSync(`/proc/${pid}/root${mount}/crumbs`, "a");
      expect(() => {
        for (;;) writeSync(crumbs, Buffer.alloc(KILOBYTE));
      }).toThrow("ENOSPC");
      closeSync(crumbs);
    },
    makeRoom: ({ pid }) => rmSync(`/proc/${pid}/root${mount}/ballast`, { force: true }),
  };
}

async function endOf(holder: ChildProcess): Promise<void> {
  const closed = once(holder, "close");
  holder.stdin?.end();
  await closed;
}

/** Why the tool cannot be used here; undefined when it can. */
function missing(command: string, ...words: readonly string[]): string | undefined {
  const { status, error } = spawnSync(command, words, { stdio: "ignore" });
  return status === 0 ? undefined : `${[command, ...words].join(" ")}: ${error?.message ?? `exit code ${status}`}`;
}

const places = [
  { code: "EFBIG", disk: limitedFiles, reason: missing("prlimit", "--fsize=1000000:", "true") },
  { code: "ENOSPC", disk: smallFileSystem, reason: missing("unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt") },
] as const;
const cases = places.flatMap((place) => (["batch", "fsync"] as const).map((durability) => ({ ...place, durability })));

test.for(cases)(
  "$code at level $durability: told, nothing acknowledged is lost, and it recovers",
  {
    timeout: 120_000,
  },
  async ({ disk: diskIn, durability, reason }, { skip }) => {
    if (reason !== undefined) return skip(`no disk can be filled here: ${reason}`);
    const { disk, program, broker } = await newPlace(diskIn, durability);
    let port = await broker.start();
    for (const [clientId, topic] of [
      ["s", "a"],
      ["drains", "c"],
    ] as const) {
      const subscriber = await dial(port, 5);
      await subscriber.connect({ clientId, ...lasting });
      await subscriber.subscribe(topic, { qos: 2 });
      await subscriber.disconnect();
    }
    const five = await dial(port, 5);
    await five.connect({ clientId: "five" });
    const four = await dial(port, 4);
    await four.connect({ clientId: "four" });
    const reader = await dial(port, 4);
    await reader.connect({ clientId: "reader" });
    await reader.subscribe("b", { qos: 0 });

    const taken: string[] = [];
    const publish = async (publisher: RawClient, name: string, qos: 1 | 2): Promise<number> => {
      const code = await publisher.publish("a", `${name} ${PAD}`, { qos });
      if (code < 0x80) taken.push(name);
      return code;
    };
    for (let i = 0; i < 5; i++) expect(await publish(five, `second ${i}`, 2)).toBe(0);
    for (let i = 0; i < MANY; i++) expect(await five.publish("c", `${i}`, { qos: 1 })).toBe(0);
    // Until it is full, and beyond.
    let refused = 0;
    for (let i = 0; refused < 3; i++) {
      const code = await publish(five, `first ${i}`, 1);
      if (code === 0) expect(refused, "taken while the disk is full").toBe(0);
      else {
        expect(code).toBe(0x97);
        refused++;
      }
    }
    expect(taken.length).toBeGreaterThan(10);
    expect(await publish(five, "refused", 2)).toBe(0x97);
    // MQTT 3.1.1 has no words for it.
    four.send(four.publishPacket("a", PAD, { qos: 1 }));
    await four.expectClosed();
    five.send(five.publishPacket("b", "at QoS 0 it goes on"));
    await reader.take("b", "at QoS 0 it goes on");
    expect(complaints(broker)).toEqual(["the store refuses to write; publishes are refused"]);
    if (disk.takeLast !== undefined) {
      disk.takeLast(broker);
      // Who comes for a queue makes room, and gets by; who would take the room that is kept for this does not.
      const drains = await dial(port, 5);
      await drains.connect({ clientId: "drains", ...lasting });
      for (let i = 0; i < MANY; i++) await drains.take("c", `${i}`);
      await drains.disconnect();
      // It is let in when the store was asked once more, so it was, also for what had been refused before.
      await (await dial(port, 5)).connect({ clientId: "drains", ...lasting });
      expect(await publish(five, "refused", 1)).toBe(0x97);
    }

    // Killed and started again while the disk is as full as before.
    await broker.crash();
    port = await broker.start();
    const again = await dial(port, 5);
    await again.connect({ clientId: "five" });
    for (let code = 0, i = 0; code !== 0x97; i++) code = await publish(again, `third ${i}`, 1);
    disk.makeRoom(broker);
    await vi.waitFor(() => expect(broker.output).toContain("the store writes again"), { timeout: 10_000 });
    expect(await publish(again, "fourth", 1)).toBe(0);
    expect(await publish(again, "fifth", 2)).toBe(0);

    await broker.crash();
    port = await broker.start();
    disk.makeRoom(broker);
    const late = await dial(port, 5);
    expect((await late.connect({ clientId: "s", ...lasting })).sessionPresent).toBe(true);
    const came: string[] = [];
    while (came.at(-1) !== "fifth") {
      const packet = await late.expect<"publish">("publish", { topic: "a" });
      const payload = text(packet.payload);
      expect(payload.endsWith(` ${PAD}`)).toBe(true);
      came.push(payload.slice(0, -PAD.length - 1));
      await late.acknowledge(packet);
    }
    // What was refused in the very turn in which the room ran out may come.
    expect(came.filter((name) => taken.includes(name))).toEqual(taken);
    expect(came.length).toBeLessThanOrEqual(taken.length + 2);
    await broker.stop();
    if (disk.isShared) {
      const { code, stdout, stderr } = await runProgram(program, ["store", "check", disk.data]);
      expect(code, stdout + stderr).toBe(0);
    }
  },
);

test("a queue that drains makes the room itself", { timeout: 120_000 }, async ({ skip }) => {
  const [, { disk: diskIn, reason }] = places;
  if (reason !== undefined) return skip(`no disk can be filled here: ${reason}`);
  const { disk, broker } = await newPlace(diskIn, "batch");
  const port = await broker.start();
  const subscriber = await dial(port, 5);
  await subscriber.connect({ clientId: "s", ...lasting });
  await subscriber.subscribe("a", { qos: 1 });
  await subscriber.disconnect();
  const publisher = await dial(port, 5);
  await publisher.connect({ clientId: "p" });
  let count = 0;
  while ((await publisher.publish("a", `${count} ${PAD}`, { qos: 1 })) === 0) count++;
  disk.takeLast?.(broker);
  const again = await dial(port, 5);
  await again.connect({ clientId: "s", ...lasting });
  for (let i = 0; i < count; i++) await again.take("a", `${i} ${PAD}`);
  await vi.waitFor(() => expect(broker.output).toContain("the store writes again"), { timeout: 10_000 });
  expect(await publisher.publish("a", "goes on", { qos: 1 })).toBe(0);
});

async function newPlace(
  diskIn: (folder: string) => Disk | Promise<Disk>,
  durability: "batch" | "fsync",
): Promise<{ readonly disk: Disk; readonly program: string; readonly broker: BrokerProcess }> {
  const folder = mkdtempSync(join(tmpdir(), "wrenmq-full-"));
  const disk = await diskIn(folder);
  const program = inject("wrenmq");
  const broker = new BrokerProcess({ program, data: disk.data, durability, within: disk.within });
  onTestFinished(async () => {
    await broker.crash();
    rmSync(folder, { recursive: true, force: true });
  });
  return { disk, program, broker };
}

async function dial(port: number | undefined, version: 4 | 5): Promise<RawClient> {
  const client = new RawClient(await dialTcp("127.0.0.1", port as number), version, new RealPace());
  onTestFinished(() => client.destroy());
  return client;
}

/** What the broker has logged at level error. */
function complaints({ output }: BrokerProcess): string[] {
  return output.split("\n").flatMap((line) => {
    const found = /"level":"?(?:error|50)"?.*"msg":"([^"]*)"/.exec(line);
    return found === null ? [] : [found[1] as string];
  });
}
