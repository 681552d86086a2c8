import { chmodSync, copyFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MemoryStore } from "@wrenmq/store";
import { contentsOf, sampleEntry, sampleMessage, sampleSession } from "@wrenmq/store/testing";
import {
  checkStore,
  compactStore,
  dumpStore,
  exportStore,
  FileStore,
  importStore,
  type StoreLine,
} from "@wrenmq/store-file";
import { expect, test } from "vitest";
import { batchAt } from "../crash/history.ts";
import { bytesOf, newPlace } from "../places.ts";

async function filled(): Promise<{ path: string; model: MemoryStore }> {
  const path = newPlace();
  const store = new FileStore({ path, durability: "batch", segmentBytes: 20_000 });
  const model = new MemoryStore();
  store.open();
  model.open();
  const message = sampleMessage({
    properties: { correlationData: new Uint8Array([1, 2]), userProperties: [["k", "温"]], payloadFormatIndicator: 1 },
    expiresAt: 1.8e12,
  });
  const batches = Array.from({ length: 300 }, (_, i) => batchAt(i + 1));
  batches.push([
    {
      op: "putSession",
      record: sampleSession("w", {
        username: "u",
        expiryInterval: Number.POSITIVE_INFINITY,
        will: { delay: 3, message },
      }),
    },
    {
      op: "enqueue",
      clientId: "w",
      entry: sampleEntry(1, { messageId: 2 ** 50, subscriptionIdentifiers: [7] }),
      message,
    },
  ]);
  for (const batch of batches) {
    void store.apply(batch);
    model.apply(batch);
  }
  await store.close();
  return { path, model };
}

async function all<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

test("check counts what is there and changes nothing", async () => {
  const { path, model } = await filled();
  const before = bytesOf(path);
  const { sessions, messages, retained } = model.stats();
  expect(await checkStore(path)).toMatchObject({
    ok: true,
    problems: [],
    tear: undefined,
    sessions,
    messages,
    retained,
  });
  expect(bytesOf(path)).toEqual(before);
});

test("an export makes the same store again", async () => {
  const { path, model } = await filled();
  const lines = await all(exportStore(path));
  expect(lines.every((line) => !line.includes("\n"))).toBe(true);
  const copy = join(newPlace(), "new");
  await importStore(copy, lines);
  const store = new FileStore({ path: copy, durability: "batch" });
  store.open();
  expect(contentsOf(store)).toEqual(contentsOf(model));
  await store.close();
});

test("an import is all or nothing", async () => {
  const { path } = await filled();
  const lines = await all(exportStore(path));
  const parent = newPlace();
  const target = join(parent, "new");
  const [head = ""] = lines;
  const wrong = [lines.slice(0, -1), lines.toSpliced(5, 1), ["{"], ['{"type":"poem"}'], [], lines.slice(1)];
  for (const type of ["entry", "message", "session", "subscription", "retained"])
    wrong.push([head, `{"type":"${type}"}`]);
  for (const bad of wrong) await expect(importStore(target, bad)).rejects.toMatchObject({ code: "ERR_STORE_FORMAT" });
  expect(readdirSync(parent)).toEqual(["new"]);
  expect(readdirSync(target)).toEqual([]);
  const before = bytesOf(path);
  await expect(importStore(path, lines)).rejects.toThrow(`the import needs an empty directory: in ${path} there is `);
  expect(bytesOf(path)).toEqual(before);
});

test("an import goes into an empty directory, however it is written, and makes one that is not there", async () => {
  const { path } = await filled();
  const lines = await all(exportStore(path));
  const parent = newPlace();
  for (const target of [`${parent}/`, join(parent, "deep", "down")]) {
    await importStore(target, lines);
    expect(await all(exportStore(target))).toHaveLength(lines.length);
    if (target.endsWith("/")) for (const name of readdirSync(parent)) rmSync(join(parent, name));
  }
  const file = join(parent, "file");
  writeFileSync(file, "");
  await expect(importStore(file, lines)).rejects.toMatchObject({ code: "ERR_STORE_OPEN" });
});

test("half of an import, ended by a crash, is not taken for a whole one", async () => {
  const { path } = await filled();
  // What an import moves, newest first, until the oldest file completes it.
  const names = readdirSync(path).filter((name) => name.endsWith(".journal"));
  expect(names.length).toBeGreaterThan(2);
  for (let there = 1; there < names.length; there++) {
    const half = newPlace();
    for (const name of names.sort().slice(-there)) copyFileSync(join(path, name), join(half, name));
    expect((await checkStore(half)).ok).toBe(false);
  }
});

test("an import that was cut short: nobody opens what there is of it, and another one begins anew", async () => {
  const { path } = await filled();
  const lines = await all(exportStore(path));
  const half = newPlace();
  // As a process leaves it that is killed: nobody cleans up, and its lock is there.
  const draft = join(half, "importing");
  const killed = new FileStore({ path: draft, durability: "batch" });
  killed.open();
  await killed.apply([{ op: "putSession", record: sampleSession("c") }]);
  const cut = { code: "ERR_STORE_OPEN", message: expect.stringContaining(`the import into ${half} was cut short`) };
  const opens = (): Promise<void> =>
    Promise.resolve().then(() => new FileStore({ path: half, durability: "batch" }).open());
  const refused = async (): Promise<void> => {
    await expect(opens()).rejects.toMatchObject(cut);
    await expect(checkStore(half)).rejects.toMatchObject(cut);
    await expect(compactStore(half)).rejects.toMatchObject(cut);
  };
  await refused();
  await killed.close();
  // In the middle of moving it.
  renameSync(join(draft, "format.json"), join(half, "format.json"));
  await refused();
  await expect(importStore(half, lines)).rejects.toMatchObject(cut);
  renameSync(join(half, "format.json"), join(draft, "format.json"));
  await importStore(half, lines);
  expect(await all(exportStore(half))).toHaveLength(lines.length);
  expect(readdirSync(half)).not.toContain("importing");
});

test("an import into a directory that another one is filling is refused", async () => {
  const { path } = await filled();
  const lines = await all(exportStore(path));
  const target = newPlace();
  let goOn = (): void => {};
  const second = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  async function* slowly(): AsyncGenerator<string> {
    const [first = "", ...rest] = lines;
    yield first;
    await second;
    yield* rest;
  }
  const importing = importStore(target, slowly());
  await expect(importStore(target, lines)).rejects.toMatchObject({ code: "ERR_STORE_LOCKED" });
  goOn();
  await importing;
  await expect(importStore(target, lines)).rejects.toThrow("the import needs an empty directory");
  expect(await all(exportStore(target))).toHaveLength(lines.length);
});

test("dump shows each fact, and of a damaged store what can be read", async () => {
  const { path, model } = await filled();
  const types = (lines: StoreLine[]): Set<string> => new Set(lines.map((line) => line.type));
  const sound = await all(dumpStore(path));
  expect([...types(sound)].sort()).toEqual([
    "end",
    "entry",
    "inbound",
    "message",
    "retained",
    "session",
    "store",
    "subscription",
  ]);
  expect(sound.filter((line) => line.type === "message")).toHaveLength(model.stats().messages);
  writeFileSync(join(path, "00009999.journal"), "x".repeat(500));
  const spoiled = await all(dumpStore(path));
  expect(spoiled.length).toBe(sound.length);
  expect(spoiled.at(-1)).toMatchObject({ problems: [{ file: "00009999.journal", offset: 0 }] });
  expect(sound.at(-1)).not.toHaveProperty("problems");
  await expect(all(exportStore(path))).rejects.toMatchObject({ code: "ERR_STORE_DAMAGED" });
});

test("compact leaves what holds", async () => {
  const { path, model } = await filled();
  const { before, after } = await compactStore(path);
  expect(after).toBeLessThan(before);
  const store = new FileStore({ path, durability: "batch" });
  store.open();
  expect(contentsOf(store)).toEqual(contentsOf(model));
  await store.close();
  expect((await checkStore(path)).ok).toBe(true);
});

test("the tools want a store, and the store for themselves", async () => {
  const path = join(newPlace(), "none");
  await expect(checkStore(path)).rejects.toMatchObject({ code: "ERR_STORE_OPEN" });
  await expect(compactStore(path)).rejects.toMatchObject({ code: "ERR_STORE_OPEN" });
  const store = new FileStore({ path, durability: "batch" });
  store.open();
  await expect(checkStore(path)).rejects.toMatchObject({ code: "ERR_STORE_LOCKED" });
  await store.close();
  expect((await checkStore(path)).ok).toBe(true);
  // A folder of something else stays as it is, and a file is no folder.
  const other = newPlace();
  writeFileSync(join(other, "letters.txt"), "");
  for (const place of [other, join(other, "letters.txt")]) {
    await expect(checkStore(place)).rejects.toThrow(`there is no store at ${place}`);
    await expect(all(dumpStore(place))).rejects.toThrow(`there is no store at ${place}`);
    await expect(compactStore(place)).rejects.toThrow(`there is no store at ${place}`);
  }
  expect(readdirSync(other)).toEqual(["letters.txt"]);
});

// Who may do everything may write there, too.
test.skipIf(process.getuid?.() === 0)("a folder that may not be written is said to be one", async () => {
  const { path } = await filled();
  chmodSync(path, 0o555);
  const reason = {
    code: "ERR_STORE_OPEN",
    message: expect.stringContaining(`${path} cannot be opened: no permission`),
  };
  await expect(checkStore(path)).rejects.toMatchObject(reason);
  await expect(compactStore(path)).rejects.toMatchObject(reason);
  const empty = newPlace();
  chmodSync(empty, 0o555);
  await expect(importStore(empty, [])).rejects.toMatchObject({ code: "ERR_STORE_OPEN" });
  for (const folder of [path, empty]) chmodSync(folder, 0o755);
});

test("the tools say of the record of the format what an opening says", async () => {
  const { path } = await filled();
  const record = join(path, "format.json");
  writeFileSync(record, "{}");
  expect(await checkStore(path)).toMatchObject({ ok: false, problems: [{ file: "format.json" }] });
  await expect(all(exportStore(path))).rejects.toMatchObject({ code: "ERR_STORE_DAMAGED" });
  expect((await all(dumpStore(path))).length).toBeGreaterThan(100);
  writeFileSync(record, '{"store":"wrenmq","version":2}');
  for (const tool of [checkStore, compactStore]) await expect(tool(path)).rejects.toThrow("has format 2");
  await expect(all(dumpStore(path))).rejects.toThrow("has format 2");
});
