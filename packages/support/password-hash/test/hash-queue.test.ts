import { describe, expect, test } from "vitest";
import { defaultLimits } from "../src/hash-queue.ts";
import { HashAbandonedError, HashQueue, HashQueueFullError, type HashQueueLimits, type Lane } from "../src/index.ts";

/** A queue whose work ends when the test says so. */
function setUp(limits: Partial<HashQueueLimits> = {}) {
  const queue = new HashQueue({ atOnce: 2, atOnceOnLibuv: 1, waiting: 100, ...limits });
  const begun: string[] = [];
  const clocks = new Map<string, "stopped" | "runs">();
  const ends = new Map<string, (error?: Error) => void>();
  const outcomes = new Map<string, unknown>();
  const ask = (name: string, share = name, lane: Lane = "threads"): AbortController => {
    const controller = new AbortController();
    const attempt = {
      signal: controller.signal,
      wait: () => {
        clocks.set(name, "stopped");
        return () => void clocks.set(name, "runs");
      },
    };
    const work = () => {
      begun.push(name);
      return new Promise<string>((resolve, reject) => {
        ends.set(name, (error) => (error === undefined ? resolve(name) : reject(error)));
      });
    };
    queue.run(lane, { share, attempt }, work).then(
      (value) => outcomes.set(name, value),
      (error: unknown) => outcomes.set(name, error),
    );
    return controller;
  };
  const end = async (name: string, error?: Error): Promise<void> => {
    ends.get(name)?.(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, begun, clocks, outcomes, ask, end };
}

describe("the queue of hashes", () => {
  test("computes no more at once than allowed, the others in turn", async () => {
    const { begun, outcomes, ask, end } = setUp();
    for (const name of ["a", "b", "c", "d"]) ask(name);
    expect(begun).toEqual(["a", "b"]);
    await end("b");
    expect(begun).toEqual(["a", "b", "c"]);
    await end("a", new Error("no memory"));
    await end("c");
    await end("d");
    expect(begun).toEqual(["a", "b", "c", "d"]);
    expect([...outcomes]).toEqual([
      ["b", "b"],
      ["a", new Error("no memory")],
      ["c", "c"],
      ["d", "d"],
    ]);
  });

  test("the clock of an attempt stands still until its work is done", async () => {
    const { clocks, ask, end } = setUp({ atOnce: 1 });
    ask("a");
    ask("b");
    expect([...clocks.values()]).toEqual(["stopped", "stopped"]);
    await end("a");
    expect(clocks.get("a")).toBe("runs");
    await end("b", new Error("no memory"));
    expect(clocks.get("b")).toBe("runs");
  });

  test("every address has the same share, however many passwords it sends", async () => {
    const { begun, ask, end } = setUp({ atOnce: 1 });
    for (let index = 1; index <= 4; index++) ask(`flood ${index}`, "198.51.100.1");
    ask("device 1", "192.0.2.1");
    ask("device 2", "192.0.2.1");
    for (let index = 0; index < 6; index++) await end(begun.at(-1) as string);
    expect(begun).toEqual(["flood 1", "flood 2", "device 1", "flood 3", "device 2", "flood 4"]);
  });

  test("when too many wait, the last of the address with the most is refused, not the newcomer", async () => {
    const { queue, begun, outcomes, ask, end } = setUp({ atOnce: 1, waiting: 3 });
    for (let index = 0; index <= 3; index++) ask(`flood ${index}`, "198.51.100.1");
    expect(queue.waiting).toBe(3);
    ask("device", "192.0.2.1");
    await end("none");
    expect(outcomes.get("flood 3")).toBeInstanceOf(HashQueueFullError);
    expect(queue.waiting).toBe(3);
    ask("flood 4", "198.51.100.1");
    await end("none");
    expect(outcomes.get("flood 4")).toBeInstanceOf(HashQueueFullError);
    await end("flood 0");
    await end("flood 1");
    expect(begun).toEqual(["flood 0", "flood 1", "device"]);
  });

  test("an attempt that is given up while it waits is never computed", async () => {
    const { queue, begun, outcomes, ask, end } = setUp({ atOnce: 1 });
    ask("a");
    const given = ask("b");
    ask("c");
    given.abort();
    await end("a");
    expect(begun).toEqual(["a", "c"]);
    expect(outcomes.get("b")).toBeInstanceOf(HashAbandonedError);
    expect(queue.waiting).toBe(0);
  });

  test("one that is given up while it is computed keeps its place until it has ended", async () => {
    const { begun, outcomes, ask, end } = setUp({ atOnce: 1 });
    const given = ask("a");
    ask("b");
    given.abort();
    await end("none");
    expect(outcomes.get("a")).toBeInstanceOf(HashAbandonedError);
    expect(begun).toEqual(["a"]);
    await end("a");
    expect(begun).toEqual(["a", "b"]);
  });

  test("one that nobody waits for any more is not even taken", async () => {
    const { queue } = setUp();
    const attempt = { signal: AbortSignal.abort(), wait: () => () => {} };
    await expect(queue.run("threads", { share: "", attempt }, async () => 1)).rejects.toThrow(HashAbandonedError);
    expect(queue.waiting).toBe(0);
  });

  test("libuv's threads are not all taken: those who wait for them let others pass", async () => {
    const { begun, ask, end } = setUp({ atOnce: 3, atOnceOnLibuv: 1 });
    ask("argon 1", "a", "libuv");
    ask("argon 2", "b", "libuv");
    ask("crypt", "c", "threads");
    expect(begun).toEqual(["argon 1", "crypt"]);
    await end("argon 1");
    expect(begun).toEqual(["argon 1", "crypt", "argon 2"]);
  });
});

test.each([
  [1, {}, { atOnce: 1, atOnceOnLibuv: 1 }],
  [2, {}, { atOnce: 2, atOnceOnLibuv: 2 }],
  [16, {}, { atOnce: 16, atOnceOnLibuv: 3 }],
  [16, { UV_THREADPOOL_SIZE: "32" }, { atOnce: 16, atOnceOnLibuv: 16 }],
  [16, { UV_THREADPOOL_SIZE: "1" }, { atOnce: 16, atOnceOnLibuv: 1 }],
  [16, { WRENMQ_WORKERS: "4" }, { atOnce: 4, atOnceOnLibuv: 3 }],
  [2, { WRENMQ_WORKERS: "4" }, { atOnce: 1, atOnceOnLibuv: 1 }],
])("on %i cores with %j: %j", (cores, environment, limits) => {
  expect(defaultLimits(cores, environment)).toMatchObject(limits);
});
