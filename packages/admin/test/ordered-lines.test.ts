// Lines of several processes in the order of their times.
import { describe, expect, test } from "vitest";
import { orderedLines } from "../src/streams/ordered-lines.ts";

interface Line {
  readonly at: number;
  readonly from?: string;
}

const byTime = (one: Line, other: Line): number => one.at - other.at;

async function* given(lines: readonly Line[]): AsyncIterableIterator<Line> {
  yield* lines;
}

/** Its lines come when the test says so. */
function held() {
  const lines: (Line | undefined)[] = [];
  let wake = (): void => {};
  async function* stream(): AsyncIterableIterator<Line> {
    for (;;) {
      while (lines.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const line = lines.shift();
      if (line === undefined) return;
      yield line;
    }
  }
  const push = (line: Line | undefined): void => {
    lines.push(line);
    wake();
  };
  return { stream: stream(), push };
}

async function all(lines: AsyncIterable<Line>): Promise<number[]> {
  const found: number[] = [];
  for await (const { at } of lines) found.push(at);
  return found;
}

describe("lines of several streams", () => {
  test("are in the order of their times; each stream keeps its own order", async () => {
    const streams = [given([1, 4, 4, 9].map((at) => ({ at }))), given([2, 3, 8].map((at) => ({ at }))), given([])];
    expect(await all(orderedLines(streams, byTime))).toEqual([1, 2, 3, 4, 4, 8, 9]);
  });

  test("of the same time come in the order of the streams", async () => {
    const streams = ["a", "b"].map((from) => given([{ at: 1, from }]));
    const found: unknown[] = [];
    for await (const { from } of orderedLines(streams, byTime)) found.push(from);
    expect(found).toEqual(["a", "b"]);
  });

  test("that come later than others of the same moment are waited for", async () => {
    const slow = held();
    const ordered = orderedLines([given([{ at: 2 }, { at: 3 }]), slow.stream], byTime);
    const first = ordered.next();
    setImmediate(() => slow.push({ at: 1 }));
    expect((await first).value).toEqual({ at: 1 });
    slow.push(undefined);
    expect([(await ordered.next()).value, (await ordered.next()).value]).toEqual([{ at: 2 }, { at: 3 }]);
    expect(await ordered.next()).toMatchObject({ done: true });
  });

  test("are not held by a stream that is silent, however many there are", async () => {
    const silent = held();
    const many = Array.from({ length: 5_000 }, (_, at) => ({ at }));
    const ordered = orderedLines([given(many), silent.stream], byTime, 50);
    const found: number[] = [];
    for await (const { at } of ordered) {
      found.push(at);
      if (found.length === many.length) break;
    }
    expect(found).toEqual(many.map(({ at }) => at));
  });

  test("end with the error of one, and all are told when the reader goes", async () => {
    async function* failing(): AsyncIterableIterator<Line> {
      yield { at: 1 };
      throw new Error("boom");
    }
    const silent = held();
    await expect(all(orderedLines([failing(), silent.stream], byTime))).rejects.toThrow("boom");
    let isEnded = false;
    async function* endless(): AsyncIterableIterator<Line> {
      try {
        for (let at = 0; ; at++) yield { at };
      } finally {
        isEnded = true;
      }
    }
    for await (const { at } of orderedLines([endless()], byTime)) if (at === 10) break;
    await expect.poll(() => isEnded).toBe(true);
  });
});
