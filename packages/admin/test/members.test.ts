// Several members as one, without processes: what is asked of whom, how answers are merged, and what is said of members
// that do not answer.
import { type FixtureOptions, startBroker } from "@wrenmq/testkit";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { type Admin, ALL_COMMANDS, createAdmin, defineStream, type Lines } from "../src/index.ts";
import { gather } from "../src/members/gather.ts";
import { answersOf, type MemberChannel, MemberMissing, workersAsMembers } from "../src/members/index.ts";
import { alignedLines } from "../src/streams/aligned-lines.ts";
import { interleave } from "../src/streams/interleave.ts";
import { MemoryLogger } from "./support/memory-logger.ts";

interface Fixture {
  readonly admin: Admin;
  readonly channel: MemberChannel & { readonly asked: number[]; readonly down: Set<number>; up(member: number): void };
  readonly brokers: readonly Awaited<ReturnType<typeof startBroker>>[];
}

/** Brokers that do not know each other, behind a channel as the supervisor has it. */
async function several(count: number, patience = 5_000, options: FixtureOptions = {}): Promise<Fixture> {
  const logger = new MemoryLogger();
  const brokers = await Promise.all(
    Array.from({ length: count }, () => startBroker({ dropHistory: true, ...options })),
  );
  const answers = brokers.map(({ broker }) => answersOf(broker, logger));
  const whenUp: ((member: number) => void)[] = [];
  const asked: number[] = [];
  const down = new Set<number>();
  const channel = {
    count,
    asked,
    down,
    homeOf: (clientId: string) => Number(clientId.at(-1)),
    isUp: (member: number) => !down.has(member),
    onUp: (callback: (member: number) => void) => void whenUp.push(callback),
    up: (member: number) => {
      down.delete(member);
      for (const callback of whenUp) callback(member);
    },
    async ask(member: number, question: unknown) {
      asked.push(member);
      return structuredClone(await answers[member]?.answer(structuredClone(question)));
    },
    stream: (member: number, question: unknown, signal?: AbortSignal) => {
      asked.push(member);
      return (answers[member] as ReturnType<typeof answersOf>).stream(question, signal as AbortSignal);
    },
  };
  const admin = createAdmin({ members: workersAsMembers(channel), logger, patience });
  onTestFinished(async () => {
    admin.close();
    for (const fixture of brokers) await fixture.stop();
  });
  return { admin, channel, brokers };
}

describe("who is asked", () => {
  test("home: the member of the client; any: the first that is there; cluster: all", async () => {
    const { admin, channel, brokers } = await several(3);
    await brokers[2]?.connect(5, { clientId: "c2" });
    const askedBy = async (call: () => Promise<unknown>): Promise<number[]> => {
      channel.asked.length = 0;
      await call();
      return [...channel.asked];
    };
    expect(await askedBy(() => admin.call("clients.get", { clientId: "c2", sampleMs: 0 }))).toEqual([2]);
    expect(await askedBy(() => admin.call("publish", { topic: "t" }))).toEqual([0]);
    channel.down.add(0);
    expect(await askedBy(() => admin.call("publish", { topic: "t" }))).toEqual([1]);
    expect(await askedBy(() => admin.call("clients.list", {}))).toEqual([1, 2]);
    channel.down.add(2);
    await expect(admin.call("clients.get", { clientId: "c2" })).rejects.toMatchObject({
      code: "unavailable",
      message: "no answer from worker 2",
      retryAfter: 1,
    });
  });

  test("every command says who answers it, and merges if all do", () => {
    for (const { name, scope, merge, home, streams } of ALL_COMMANDS) {
      expect(["cluster", "home", "any", "primary"], name).toContain(scope);
      if (!streams) expect(merge !== undefined, name).toBe(scope === "cluster");
      expect(home !== undefined, name).toBe(scope === "home");
    }
  });

  test("errors of a member keep code, field and message", async () => {
    const { admin } = await several(2);
    await expect(admin.call("clients.kick", { clientId: "c1" })).rejects.toMatchObject({
      name: "AdminError",
      code: "not_found",
      field: "clientId",
      message: 'no client "c1" is connected',
    });
    await expect(admin.call("clients.list", { cursor: "x" })).rejects.toMatchObject({ field: "cursor" });
  });

  test("what may have been done is not done again by another member", async () => {
    const { admin, channel } = await several(2);
    channel.ask = async (member) => {
      channel.asked.push(member);
      throw new Error("it ended");
    };
    await expect(admin.call("publish", { topic: "t" })).rejects.toMatchObject({ code: "unavailable" });
    expect(channel.asked).toEqual([0]);
    await expect(admin.call("retained.list", {})).rejects.toMatchObject({ code: "unavailable" });
    expect(channel.asked).toEqual([0, 0, 1]);
  });
});

describe("merging", () => {
  test("pages of three members are one list, in both directions, by every key", async () => {
    const { admin, brokers } = await several(3);
    const ids = Array.from({ length: 20 }, (_, index) => `c${String(index).padStart(2, "0")}`);
    for (const [index, clientId] of ids.entries()) {
      const broker = brokers[index % 3]?.broker;
      broker?.subscribe(clientId, "t/#", 1);
      for (let count = 0; count < index % 7; count++) broker?.subscribe(clientId, `s/${count}`, 1);
    }
    for (const sort of ["clientId", "subscriptions"] as const) {
      for (const descending of [false, true]) {
        const whole = await admin.call("sessions.list", { sort, descending, limit: 100 });
        expect(whole.items.map(({ clientId }) => clientId).toSorted()).toEqual(ids);
        const pages: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await admin.call("sessions.list", { sort, descending, limit: 3, cursor });
          expect(page.items.length).toBeLessThanOrEqual(3);
          pages.push(...page.items.map(({ clientId }) => clientId));
          cursor = page.cursor;
        } while (cursor !== undefined);
        expect(pages).toEqual(whole.items.map(({ clientId }) => clientId));
        const keys = whole.items.map((item) => item[sort]);
        const sorted = [...keys].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0));
        expect(keys).toEqual(descending ? sorted.reverse() : sorted);
      }
    }
  });

  test("a rate for all is divided among them", async () => {
    const { admin, brokers } = await several(2);
    await admin.call("drain", { rate: 5 });
    expect(brokers.map(({ broker }) => broker.operations.drainState?.rate)).toEqual([2.5, 2.5]);
  });

  test("numbers are summed; what all have is not; what is of a process has a label", async () => {
    const { admin, brokers } = await several(2);
    for (const { broker } of brokers) broker.retain("r", "12");
    await brokers[0]?.connect(5, { clientId: "c0" });
    await brokers[1]?.connect(5, { clientId: "c1" });
    const text = await admin.metricsText();
    const sampleOf = (sample: string): number =>
      Number(
        text
          .split("\n")
          .find((line) => line.startsWith(`${sample} `))
          ?.split(" ")[1],
      );
    expect(sampleOf("wrenmq_clients_connected")).toBe(2);
    expect(sampleOf("wrenmq_retained")).toBe(1);
    expect(sampleOf('wrenmq_listener_connections{listener="memory"}')).toBe(2);
    expect(text).toMatch(
      /process_resident_memory_bytes\{worker="0"\} \d+\nprocess_resident_memory_bytes\{worker="1"\}/,
    );
    expect(text.match(/# TYPE wrenmq_clients_connected /g)).toHaveLength(1);
    expect(await admin.call("metrics", {})).toMatchObject({ clientsConnected: 2, retained: 1 });
  });
});

describe("members that are missing", () => {
  test("of each plugin the failures are summed, and the last one of any member is shown", async () => {
    const fail = ({ clientId }: { readonly clientId: string }): never => {
      throw new Error(clientId);
    };
    const { admin, brokers } = await several(2, 5_000, { hooks: { authenticate: () => true, connected: fail } });
    for (const clientId of ["a1", "b1"]) await brokers[1]?.connect(5, { clientId });
    await brokers[0]?.clock.advance(10_000);
    await brokers[0]?.connect(5, { clientId: "c0" });
    const { items, hookFailures } = await admin.call("plugins.list", {});
    expect(hookFailures).toBe(3);
    expect(items).toMatchObject([{ failures: 3, lastFailure: "connected: c0" }]);
  });

  test("health and numbers answer even if nobody does; lists do not", async () => {
    const { admin, channel } = await several(2);
    channel.down.add(0).add(1);
    expect(await admin.call("health", {})).toMatchObject({
      ready: false,
      state: "starting",
      checks: [{ name: "workers", ok: false, detail: "no answer from worker 0, worker 1" }],
      incomplete: ["worker 0", "worker 1"],
    });
    expect(await admin.metricsText()).toContain('wrenmq_worker_up{worker="1"} 0\n');
    await expect(admin.call("clients.list", {})).rejects.toMatchObject({ code: "unavailable" });
  });

  test("who comes back learns the bans and the drain", async () => {
    const { admin, channel, brokers } = await several(2);
    channel.down.add(1);
    const banned = await admin.call("clients.ban", { value: "villain", seconds: 60 });
    expect(banned.incomplete).toEqual(["worker 1"]);
    await admin.call("drain", { rate: 0 });
    channel.up(1);
    await expect.poll(() => [...(brokers[1]?.broker.operations.bans() ?? [])]).toMatchObject([{ value: "villain" }]);
    expect(brokers[1]?.broker.operations.drainState).toMatchObject({ rate: 0 });
  });

  test("gather: an error that is none of being missing is thrown when all have answered", async () => {
    const one = { name: "worker 0", label: "0" } as never;
    const other = { name: "worker 1", label: "1" } as never;
    let isDone = false;
    const ask = async (member: unknown): Promise<string> => {
      if (member === one) throw new Error("no");
      await new Promise((resolve) => setImmediate(resolve));
      isDone = true;
      return "yes";
    };
    await expect(gather([one, other], ask)).rejects.toThrow("no");
    expect(isDone).toBe(true);
    const missing = async (member: unknown): Promise<string> => {
      if (member === one) throw new MemberMissing(one, false);
      return "yes";
    };
    expect(await gather([one, other], missing)).toEqual({ parts: ["yes"], answered: [other], missing: [one] });
  });
});

describe("streams", () => {
  async function* counting(name: string, count: number, made: string[]): AsyncIterable<string> {
    for (let number = 0; number < count; number++) {
      made.push(`${name}${number}`);
      yield `${name}${number}`;
    }
  }

  test("lines of all, at most one line of each ahead of the reader", async () => {
    const made: string[] = [];
    const lines = interleave([counting("a", 3, made), counting("b", 1_000, made)]);
    await lines.next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(made.length).toBeLessThanOrEqual(3);
    const seen = new Set<unknown>();
    for await (const line of lines) seen.add(line);
    expect(seen.size).toBe(1_002);
  });

  test("whoever stops reading ends all of them", async () => {
    const made: string[] = [];
    for await (const _line of interleave([counting("a", 1_000, made), counting("b", 1_000, made)])) break;
    await new Promise((resolve) => setImmediate(resolve));
    expect(made.length).toBeLessThanOrEqual(3);
  });

  const watching = defineStream({
    name: "clients.list",
    summary: "Watch.",
    kind: "read",
    input: z.strictObject({}),
    output: z.object({}),
    cli: { words: "watch" },
    scope: "cluster",
    async *run() {
      yield {};
    },
  });

  test("of a member that ends in the middle the rest is missing, and the stream says so", async () => {
    const { admin, channel } = await several(2);
    channel.stream = async function* (member) {
      yield { value: `line of ${member}` };
      if (member === 1) throw new Error("it ended");
      yield { value: "another" };
    };
    const lines = (await admin.run(watching, {}, { who: "test" })) as Lines<unknown>;
    const seen: unknown[] = [];
    for await (const line of lines) seen.push(line);
    expect(seen.toSorted()).toEqual(["another", "line of 0", "line of 1"]);
    expect(lines.incomplete).toEqual(["worker 1"]);
  });

  test("a member that is back is among them again", async () => {
    const { admin, channel } = await several(2);
    let ends: (() => void) | undefined;
    channel.stream = async function* (member, _question, signal) {
      yield { value: `line of ${member}` };
      await new Promise<void>((resolve, reject) => {
        if (member === 1) ends = () => reject(new Error("it ended"));
        if (signal?.aborted === true) resolve();
        signal?.addEventListener("abort", () => resolve());
      });
    };
    channel.down.add(1);
    const gone = new AbortController();
    const lines = (await admin.run(watching, {}, { who: "test" }, gone.signal)) as Lines<unknown>;
    const iterator = lines[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe("line of 0");
    expect(lines.incomplete).toEqual(["worker 1"]);
    let next = iterator.next();
    channel.up(1);
    expect((await next).value).toBe("line of 1");
    expect(lines.incomplete).toEqual([]);
    next = iterator.next();
    await vi.waitUntil(() => ends);
    ends?.();
    await expect.poll(() => lines.incomplete).toEqual(["worker 1"]);
    channel.up(1);
    expect((await next).value).toBe("line of 1");
    expect(lines.incomplete).toEqual([]);
    gone.abort();
    expect((await iterator.next()).done).toBe(true);
  });

  test("messages of all, the retained ones once; a limit is one of all", async () => {
    const { admin, brokers } = await several(2);
    for (const { broker } of brokers) broker.retain("kept", "x");
    const lines = (await admin.call("messages.watch", { filter: "#", limit: 3 }))[Symbol.asyncIterator]();
    expect((await lines.next()).value).toMatchObject({ topic: "kept", retained: true });
    const next = lines.next();
    for (const { broker } of brokers) broker.publish("t", "x");
    expect((await next).value).toMatchObject({ topic: "t" });
    expect((await lines.next()).value).toMatchObject({ topic: "t" });
    expect((await lines.next()).done).toBe(true);
  });

  test("lines of the same time are one; a stream without one in time is left out, and comes back", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const names = ["worker 0", "worker 1"].map((name) => ({ name, label: name }));
    const gates = new Map<string, () => void>();
    const gate = (name: string): Promise<void> => new Promise((resolve) => gates.set(name, resolve));
    async function* member(value: number, times: readonly number[]): AsyncIterable<{ at: number; value: number }> {
      for (const at of times) {
        if (value === 10 && at === 3) await gate("3");
        if (at === 5) await gate(`5 of ${value}`);
        yield { at, value };
      }
    }
    const lines = alignedLines([member(1, [1, 2, 3, 4, 5]), member(10, [2, 3, 5])], {
      names,
      missing: [],
      signal: new AbortController().signal,
      merge: (all) => ({ at: all[0].at, value: all.reduce((sum, { value }) => sum + value, 0) }),
    });
    expect((await lines.next()).value).toEqual({ at: 1, value: 1, incomplete: ["worker 1"] });
    expect((await lines.next()).value).toEqual({ at: 2, value: 11 });
    const third = lines.next();
    await vi.advanceTimersByTimeAsync(1_500);
    expect((await third).value).toEqual({ at: 3, value: 1, incomplete: ["worker 1"] });
    // Not waited for again.
    expect((await lines.next()).value).toEqual({ at: 4, value: 1, incomplete: ["worker 1"] });
    const fifth = lines.next();
    // Its line of 3 is too late.
    gates.get("3")?.();
    await vi.waitUntil(() => gates.has("5 of 10"));
    gates.get("5 of 10")?.();
    gates.get("5 of 1")?.();
    expect((await fifth).value).toEqual({ at: 5, value: 11 });
    expect((await lines.next()).done).toBe(true);
  });

  test("one member's stream comes from another one if the first is not there", async () => {
    const { admin, channel, brokers } = await several(2);
    brokers[1]?.broker.retain("kept", "x");
    channel.down.add(0);
    const topics: string[] = [];
    for await (const { topic } of await admin.call("retained.export", {})) topics.push(topic);
    expect(topics).toEqual(["kept"]);
    channel.down.add(1);
    await expect(async () => {
      for await (const _line of await admin.call("retained.export", {}));
    }).rejects.toMatchObject({ code: "unavailable" });
  });
});
