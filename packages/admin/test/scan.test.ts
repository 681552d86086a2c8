import { afterEach, expect, test, vi } from "vitest";
import { mergePages, type PageOptions, pageOf as rankedPage } from "../src/pages.ts";
import { ScanGate, SlicedScan } from "../src/scan.ts";

afterEach(() => vi.restoreAllMocks());

/** Each look at the clock takes a millisecond. */
function slowClock(step = 1): void {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += step));
}

function* numbers(count: number): Iterable<number> {
  for (let number = 0; number < count; number++) yield number;
}

/** A page of one member, as if it were alone. */
async function pageOf(gate: ScanGate, options: Omit<PageOptions<number, number>, "show">) {
  return mergePages([await rankedPage(gate, { ...options, show: (entry) => entry })], options);
}

const options = {
  matches: () => true,
  key: (entry: number) => entry,
  identity: String,
  descending: false,
  cursor: undefined,
} as const;

test("100,000 entries are looked at in slices: others have their turn in between", async () => {
  slowClock();
  let turns = 0;
  let isOver = false;
  const others = (): void => {
    turns++;
    if (!isOver) setImmediate(others);
  };
  setImmediate(others);
  const page = await pageOf(new ScanGate(), { ...options, entries: numbers(100_000), limit: 10, descending: true });
  isOver = true;
  expect(page).toMatchObject({ matched: 100_000, complete: true });
  expect(page.items.slice(0, 2)).toEqual([99_999, 99_998]);
  // 64 entries and one look at the clock each; 2 ms are a slice.
  expect(turns).toBeGreaterThan(100_000 / 64 / 4);
});

test("pages of any size, in both directions, show everything once", async () => {
  const gate = new ScanGate();
  const entries = Array.from({ length: 257 }, (_, index) => (index * 7919) % 257);
  for (const descending of [false, true]) {
    for (const limit of [1, 10, 256, 1_000]) {
      const seen: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await pageOf(gate, { ...options, entries, limit, descending, cursor });
        seen.push(...page.items);
        cursor = page.cursor;
      } while (cursor !== undefined);
      const sorted = [...entries].sort((one, other) => (descending ? other - one : one - other));
      expect(seen).toEqual(sorted);
    }
  }
});

test("too much to look at ends after 5 s of work, and says so", async () => {
  slowClock(100);
  const scan = new SlicedScan(numbers(1_000_000));
  let count = 0;
  await scan.run(() => {
    count++;
    return undefined;
  });
  expect(scan.complete).toBe(false);
  expect(count).toBeLessThan(10_000);
});

test("few look at the same time, some wait, the rest is refused", async () => {
  const gate = new ScanGate();
  const [first, second] = [await gate.enter(), await gate.enter()];
  const waiting = Array.from({ length: 64 }, () => gate.enter());
  await expect(gate.enter()).rejects.toMatchObject({ code: "too_many_requests", retryAfter: 1 });
  first();
  second();
  for (const one of waiting) (await one)();
  (await gate.enter())();
});
