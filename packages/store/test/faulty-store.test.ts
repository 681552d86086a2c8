import { MemoryStore, StoreError } from "@wrenmq/store";
import { FaultyStore, sampleSession } from "@wrenmq/store/testing";
import { expect, test } from "vitest";

const put = { op: "putSession", record: sampleSession("c") } as const;

function openFaulty(): FaultyStore {
  const store = new FaultyStore(new MemoryStore());
  void store.open();
  return store;
}

test("a faulty store fails as often as it was told, and applies nothing of it", async () => {
  const store = openFaulty();
  store.failNext();
  expect(() => store.apply([put])).toThrow(StoreError);
  store.failNext(2, { rejects: true, error: new StoreError("ERR_STORE_WRITE", "broken") });
  await expect(store.apply([put])).rejects.toMatchObject({ code: "ERR_STORE_WRITE" });
  await expect(store.apply([put])).rejects.toMatchObject({ code: "ERR_STORE_WRITE" });
  expect(store.stats().sessions).toBe(0);
  expect(store.apply([put])).toBeUndefined();
  expect(store.stats().sessions).toBe(1);
  expect(store.batches).toHaveLength(4);
});

test("a faulty store holds commits back, in order", async () => {
  const store = openFaulty();
  store.holdCommits();
  const settled: number[] = [];
  const first = store.apply([put])?.then(() => settled.push(1));
  const second = store.apply([])?.then(() => settled.push(2));
  expect(store.heldCommits).toBe(2);
  expect(store.stats().sessions).toBe(1);
  store.releaseCommits(1);
  await first;
  expect(settled).toEqual([1]);
  store.releaseCommits();
  await second;
  expect(settled).toEqual([1, 2]);
  expect(store.apply([])).toBeUndefined();
});
