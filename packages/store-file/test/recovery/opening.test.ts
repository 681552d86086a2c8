import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "@wrenmq/store";
import { contentsOf, sampleMessage, sampleOutboxEntry, sampleSession, sampleSubscription } from "@wrenmq/store/testing";
import { FileStore } from "@wrenmq/store-file";
import { expect, test } from "vitest";
import { newPlace } from "../places.ts";

function failureOf(action: () => void): StoreError {
  try {
    action();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error("no failure");
}

const locksIn = (path: string): string[] => readdirSync(path).filter((name) => name.startsWith("lock."));

test("a directory in use is refused, with the process that uses it", async () => {
  const path = newPlace();
  const first = new FileStore({ path, durability: "batch" });
  const second = new FileStore({ path, durability: "batch" });
  first.open();
  const error = failureOf(() => second.open());
  expect(error.code).toBe("ERR_STORE_LOCKED");
  expect(error.message).toContain(path);
  expect(error.message).toContain(String(process.pid));
  void first.apply([{ op: "putSession", record: sampleSession("c") }]);
  await first.close();
  expect(locksIn(path)).toEqual([]);
  second.open();
  expect(second.stats().sessions).toBe(1);
  await second.close();
});

test("the lock of a process that is no more is taken over", async () => {
  const path = newPlace();
  const store = new FileStore({ path, durability: "batch" });
  store.open();
  const [name = ""] = locksIn(path);
  const holder = JSON.parse(readFileSync(join(path, name), "utf8")) as object;
  await store.close();
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const stale = [
    { ...holder, pid },
    // The number lives on in another process.
    { ...holder, started: "1" },
    { ...holder, machine: "before the last restart" },
  ];
  for (const lock of stale) {
    writeFileSync(join(path, "lock.7"), JSON.stringify(lock));
    store.open();
    expect(locksIn(path)).toEqual(["lock.8"]);
    await store.close();
  }
  expect(locksIn(path)).toEqual([]);
});

test.skipIf(!existsSync("/proc/self/stat"))(
  "so is that of one that has ended and whose parent does not ask",
  async () => {
    const path = newPlace();
    const store = new FileStore({ path, durability: "batch" });
    store.open();
    const [name = ""] = locksIn(path);
    const holder = JSON.parse(readFileSync(join(path, name), "utf8")) as object;
    await store.close();
    // `sleep` takes the place of the shell, and knows nothing of the shell's child.
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"]);
    try {
      const [line] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(String(line));
      const stat = (): string[] => readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
      while (stat()[0] !== "Z") await new Promise((resolve) => setImmediate(resolve));
      writeFileSync(join(path, "lock.7"), JSON.stringify({ ...holder, pid, started: stat()[19] }));
      store.open();
      expect(locksIn(path)).toEqual(["lock.8"]);
      await store.close();
    } finally {
      parent.kill();
    }
  },
);

test("a newer format is refused, whatever is wished for", () => {
  const path = newPlace();
  writeFileSync(join(path, "format.json"), JSON.stringify({ store: "wrenmq", version: 99 }));
  const error = failureOf(() => new FileStore({ path, durability: "batch", onDamage: "setAside" }).open());
  expect(error.code).toBe("ERR_STORE_FORMAT");
  expect(error.message).toContain("update WrenMQ");
  expect(locksIn(path)).toEqual([]);
});

/** Written by the last version of the store that had format 1. */
const JOURNAL_1 = [
  "V3Jlbk1RIGpvdXJuYWwNCgEAAAABAAAAAAAAAAAA8D8tkIkQAAAAAKdXcfFiy5wTfgAAAAEAAAAAAAAAAADwPwAAAAAAAAAAAQEA",
  "AWMAAAAAACCsQAMBA2EvIwEFAQEJQBMAAAABA2EvYglwdWJsaXNoZXIDAQIDBQECCkATAAAAAQNhL3EJcHVibGlzaGVyAwECAwgB",
  "BQoRAAAABQFyCXB1Ymxpc2hlcgMBAgMKFAAAAAUEZ29uZQlwdWJsaXNoZXIDAQIDp1dx8auDiXAXAAAAAQAAAAAAAAAAAABAAAAA",
  "AAAAAAALBGdvbmUBAgAFZW5kZWQAAAAAACCsQKdXcfEL3hG5BwAAAAEAAAAAAAAAAAAIQAAAAAAAAAAAAgIGAQEDA6dXcfERuJ+B",
  "AAAAAAEAAAAAAAAAAAAQQAAAAAAAAAhA",
].join("");

test("a store of format 1 is read without loss, goes on in this format, and stays readable", async () => {
  const path = newPlace();
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "format.json"), JSON.stringify({ store: "wrenmq", version: 1 }));
  writeFileSync(join(path, "00000001.journal"), Buffer.from(JOURNAL_1, "base64"));
  const store = new FileStore({ path, durability: "batch" });
  const expectOld = (): void => {
    const { sessions } = contentsOf(store);
    expect(Object.keys(sessions)).toEqual(["c"]);
    expect(sessions["c"]).toMatchObject({
      record: sampleSession("c"),
      subscriptions: [["a/#", sampleSubscription()]],
      inboundPacketIds: [5],
      inflight: [{ entry: { seq: 1, packetId: 3, state: "awaitPubcomp" } }],
      queue: [{ entry: { seq: 2, messageId: 10 }, message: sampleMessage({ topic: "a/q" }) }],
    });
    expect([...store.retained()]).toEqual([sampleMessage({ topic: "r", retain: true })]);
  };
  store.open();
  expectOld();
  expect([[...store.outbox()], [...store.origins()], [...store.retainedStamps()], store.identity()]).toEqual([
    [],
    [],
    [],
    undefined,
  ]);
  void store.apply([{ op: "putOutbox", entry: sampleOutboxEntry(1), message: sampleMessage() }]);
  await store.close();
  expect(JSON.parse(readFileSync(join(path, "format.json"), "utf8"))).toEqual({ store: "wrenmq", version: 2 });
  store.open();
  expectOld();
  await store.compact();
  expectOld();
  expect(store.stats()).toMatchObject({ sessions: 1, outbox: 1 });
  await store.close();
});

test("a path that cannot be a directory is refused", () => {
  const path = join(newPlace(), "file");
  writeFileSync(path, "");
  const error = failureOf(() => new FileStore({ path, durability: "batch" }).open());
  expect(error.code).toBe("ERR_STORE_OPEN");
  expect(error.cause).toBeDefined();
});
