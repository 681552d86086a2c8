import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "@wrenmq/store";
import { contentsOf } from "@wrenmq/store/testing";
import { checkStore, FileStore, type FileStoreNotice } from "@wrenmq/store-file";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchAt } from "../crash/history.ts";
import { bytesOf, copyOf, journalFiles, newPlace } from "../places.ts";

const BATCHES = 70;

interface Original {
  readonly path: string;
  /** What the store held after each batch, as text. */
  readonly states: readonly string[];
}

async function original(closed: boolean): Promise<Original> {
  const path = newPlace();
  const store = new FileStore({ path, durability: "batch", segmentBytes: 8000 });
  store.open();
  const states = [JSON.stringify(contentsOf(store))];
  for (let n = 1; n <= BATCHES; n++) {
    void store.apply(batchAt(n));
    states.push(JSON.stringify(contentsOf(store)));
  }
  if (closed) {
    await store.close();
    return { path, states };
  }
  // As it is on disk when the process is killed here.
  const copy = copyOf(path);
  await store.close();
  return { path: copy, states };
}

const spoil = fc.record({
  file: fc.nat(),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  how: fc.oneof(
    fc.integer({ min: 0, max: 7 }).map((bit) => ({ bit }) as const),
    fc.constant({ cut: true } as const),
    fc.integer({ min: 1, max: 5000 }).map((zeros) => ({ zeros }) as const),
  ),
});

/** Spoils a random place and says which file it was; undefined when nothing changed. */
function spoilOne(
  path: string,
  { file, at, how }: typeof spoil extends fc.Arbitrary<infer T> ? T : never,
): string | undefined {
  const names = [...journalFiles(path), "format.json"];
  const name = names[file % names.length] ?? "";
  const target = join(path, name);
  const offset = Math.floor(at * statSync(target).size);
  const before = readFileSync(target);
  if ("cut" in how) truncateSync(target, offset);
  else {
    const after = Buffer.from(before);
    if ("bit" in how) after[offset]! ^= 1 << how.bit;
    else after.fill(0, offset, Math.min(after.length, offset + how.zeros));
    writeFileSync(target, after);
  }
  return readFileSync(target).equals(before) ? undefined : name;
}

function open(
  path: string,
  onDamage: "refuse" | "setAside",
): { store: FileStore; notices: FileStoreNotice[]; error: StoreError | undefined } {
  const notices: FileStoreNotice[] = [];
  const store = new FileStore({
    path,
    durability: "batch",
    segmentBytes: 8000,
    onDamage,
    onNotice: (notice) => notices.push(notice),
  });
  try {
    store.open();
    return { store, notices, error: undefined };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { store, notices, error };
  }
}

describe.each([true, false])("a journal that was closed in order: %s", (closed) => {
  test("spoiled bytes are refused, or cut off as a tear, or do not matter; nothing is lost in silence", {
    timeout: 60_000,
  }, async () => {
    const { path, states } = await original(closed);
    const seen = { refused: 0, torn: 0, unharmed: 0 };
    await fc.assert(
      fc.asyncProperty(spoil, async (how) => {
        const copy = copyOf(path);
        const spoiled = spoilOne(copy, how);
        const bytes = bytesOf(copy);
        const { store, notices, error } = open(copy, "refuse");
        if (error !== undefined) {
          seen.refused++;
          expect(error.code).toMatch(/^ERR_STORE_(DAMAGED|FORMAT)$/);
          expect(error.message).toContain(spoiled === "format.json" ? "format" : ".journal");
          expect(bytesOf(copy)).toEqual(bytes);
          return;
        }
        const held = JSON.stringify(contentsOf(store));
        await store.close();
        const back = states.lastIndexOf(held);
        expect(back).toBeGreaterThanOrEqual(0);
        if (back === BATCHES) seen.unharmed++;
        else {
          seen.torn++;
          expect(notices).toMatchObject([{ notice: "torn" }]);
          // Only the end of the journal that was not closed can be torn, or a frame at its very end.
          expect("cut" in how.how || !closed).toBe(true);
        }
      }),
      { numRuns: 120 },
    );
    // Without a close nothing says that anything had got to the disk, so most of what is bad is a tear.
    expect(closed ? seen.refused : seen.torn).toBeGreaterThan(20);
  });

  test("a damaged store that is opened all the same goes on with what can be read, and keeps the damaged files", {
    timeout: 60_000,
  }, async () => {
    const { path } = await original(closed);
    await fc.assert(
      fc.asyncProperty(spoil, async (how) => {
        const copy = copyOf(path);
        const spoiled = spoilOne(copy, how) ?? "";
        const damaged = bytesOf(copy)[spoiled];
        if (open(copy, "refuse").error?.code !== "ERR_STORE_DAMAGED") return;
        const { store, notices } = open(copy, "setAside");
        const held = contentsOf(store);
        expect(Object.keys(held.sessions).length + Object.keys(held.retained).length).toBeGreaterThan(0);
        await store.close();
        if (spoiled !== "format.json") expect(notices).toMatchObject([{ notice: "setAside" }]);
        expect(Object.values(bytesOf(copy))).toContain(damaged);
        // From now on it is sound, and holds the same.
        expect(await checkStore(copy)).toMatchObject({ ok: true, problems: [] });
        const again = open(copy, "refuse");
        expect(contentsOf(again.store)).toEqual(held);
        await again.store.close();
      }),
      { numRuns: 40 },
    );
  });
});

test("a file that goes missing is noticed", async () => {
  const { path } = await original(true);
  const names = journalFiles(path);
  expect(names.length).toBeGreaterThan(2);
  for (const name of names.slice(0, -1)) {
    const copy = copyOf(path);
    rmSync(join(copy, name));
    expect(open(copy, "refuse").error?.code).toBe("ERR_STORE_DAMAGED");
    expect((await checkStore(copy)).problems).not.toEqual([]);
  }
});

test("a foreign file in the journal's place is refused, and set aside on demand", async () => {
  const { path, states } = await original(true);
  const foreign = "00009999.journal";
  writeFileSync(join(path, foreign), "dear diary ".repeat(1000));
  const { error } = open(path, "refuse");
  expect(error?.code).toBe("ERR_STORE_DAMAGED");
  expect(error?.message).toContain(foreign);
  const { store } = open(path, "setAside");
  expect(contentsOf(store)).toEqual(JSON.parse(states.at(-1) ?? "", revive));
  await store.close();
  expect(Object.keys(bytesOf(path)).some((name) => name.startsWith(`${foreign}.damaged-`))).toBe(true);
});

/** JSON knows no bytes and no Infinity. */
function revive(key: string, value: unknown): unknown {
  if (key === "expiresAt" && value === null) return Number.POSITIVE_INFINITY;
  if (key === "payload") return new Uint8Array(Object.values(value as Record<string, number>));
  return value;
}
