import fc from "fast-check";
import { expect, test } from "vitest";
import { Arena, Outbox } from "../../src/index.ts";
import { concat } from "../support/machine.ts";

const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed) & 0xff);

function same(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length);
  let at = 0;
  while (at < actual.length && actual[at] === expected[at]) at++;
  expect(at).toBe(expected.length);
}

type Command =
  | { readonly do: "append" | "range" | "patch"; readonly length: number }
  | { readonly do: "take"; readonly consumed: boolean }
  | { readonly do: "drained" | "discard" };

const length = fc.oneof(
  { weight: 6, arbitrary: fc.nat(300) },
  { weight: 2, arbitrary: fc.constantFrom(4_095, 4_096, 4_097, 16_384, 65_536) },
  { weight: 1, arbitrary: fc.constantFrom(262_144, 262_145, 300_000) },
);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom("append" as const, "range" as const, "patch" as const), length }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("take" as const), consumed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("drained" as const, "discard" as const) }) },
);

/** Plain memory: what an outbox has to come out with. */
class Twin {
  pending: Uint8Array = new Uint8Array(0);
  inTransit = 0;
}

function play(arena: Arena, boxes: number, commands: readonly (readonly [number, Command])[]): void {
  // What was read lies in the arena too: the source of "range".
  arena.bytes.set(bytes(arena.readLength, 7), arena.readStart);
  const all = Array.from({ length: boxes }, () => {
    let ready = 0;
    const outbox = new Outbox(arena, { outputReady: () => ready++, outputLarge: () => {} });
    return {
      outbox,
      twin: new Twin(),
      held: undefined as Uint8Array | undefined,
      copy: new Uint8Array(0) as Uint8Array,
      ready: () => ready,
    };
  });
  for (const [which, step] of commands) {
    const box = all[which % boxes] as (typeof all)[number];
    const { outbox, twin } = box;
    if (step.do === "append") {
      const data = bytes(step.length, which);
      outbox.append(data);
      twin.pending = concat(twin.pending, data);
    } else if (step.do === "range") {
      const end = arena.readStart + Math.min(step.length, arena.readLength);
      twin.pending = concat(twin.pending, arena.bytes.subarray(arena.readStart, end));
      outbox.appendRange(arena.bytes, arena.readStart, end);
    } else if (step.do === "patch") {
      // As Link does it: room first, then the bytes.
      outbox.reserve(step.length);
      const data = bytes(step.length, which + 1);
      outbox.bytes.set(data, outbox.position);
      outbox.position += step.length;
      twin.pending = concat(twin.pending, data);
    } else if (step.do === "take") {
      if (box.held !== undefined || outbox.pending === 0) continue;
      const taken = outbox.take();
      expect(taken.length).toBe(twin.pending.length);
      same(taken, twin.pending);
      if (!step.consumed) {
        box.held = taken;
        box.copy = twin.pending;
      }
      outbox.taken(step.consumed);
      twin.inTransit = step.consumed ? 0 : twin.pending.length;
      twin.pending = new Uint8Array(0);
    } else if (step.do === "drained") {
      // Nobody wrote over what the transport still held.
      if (box.held !== undefined) same(box.held, box.copy);
      box.held = undefined;
      outbox.drained();
      twin.inTransit = 0;
    } else {
      outbox.discard();
      twin.pending = new Uint8Array(0);
    }
    expect(outbox.pending).toBe(twin.pending.length);
    expect(outbox.backlog).toBe(twin.pending.length + twin.inTransit);
  }
  for (const { outbox, twin, held, copy } of all) {
    same(outbox.take(), twin.pending);
    if (held !== undefined) same(held, copy);
  }
}

const scenario = fc.array(fc.tuple(fc.nat(10), command), { maxLength: 40 });

test("several outboxes in one arena come out with the bytes that plain memory comes out with", () => {
  fc.assert(
    fc.property(scenario, (commands) => play(new Arena(new Uint8Array(1024 * 1024)), 4, commands)),
    { numRuns: 20 },
  );
});

test("so they do when the arena is used up", () => {
  fc.assert(
    fc.property(scenario, (commands) => play(new Arena(new Uint8Array(512 * 1024)), 5, commands)),
    { numRuns: 20 },
  );
});

test("slabs go back: filling and taking for ever needs no more memory", () => {
  const arena = new Arena(new Uint8Array(1024 * 1024));
  const outbox = new Outbox(arena, { outputReady: () => {}, outputLarge: () => {} });
  const data = bytes(100_000, 1);
  for (let round = 0; round < 1_000; round++) {
    outbox.append(data);
    expect(outbox.bytes).toBe(arena.bytes);
    outbox.taken(round % 2 === 0);
    outbox.drained();
  }
});

test("the owner hears of the first bytes once, and again after they were taken; held bytes are announced at release", () => {
  let ready = 0;
  const outbox = new Outbox(new Arena(new Uint8Array(1024 * 1024)), {
    outputReady: () => ready++,
    outputLarge: () => {},
  });
  outbox.append(bytes(10, 1));
  outbox.append(bytes(10_000, 1));
  expect(ready).toBe(1);
  outbox.taken(true);
  outbox.append(bytes(10, 1));
  expect(ready).toBe(2);
  outbox.hold();
  outbox.hold();
  outbox.release();
  expect(ready).toBe(2);
  outbox.release();
  expect(ready).toBe(3);
});

test("large packets are written, not moved to a larger slab, when the owner can write now; else they are moved", () => {
  const written: number[] = [];
  let canWrite = true;
  const outbox: Outbox = new Outbox(new Arena(new Uint8Array(4 * 1024 * 1024)), {
    outputReady: () => {},
    outputLarge: () => {
      if (!canWrite) return;
      written.push(outbox.take().length);
      outbox.taken(true);
    },
  });
  for (let n = 0; n < 9; n++) outbox.append(bytes(65_550, n));
  expect(written).toEqual([3 * 65_550, 3 * 65_550]);
  expect(outbox.pending).toBe(3 * 65_550);
  canWrite = false;
  for (let n = 0; n < 3; n++) outbox.append(bytes(65_550, n));
  expect(written.length).toBe(2);
  expect(outbox.pending).toBe(6 * 65_550);
});

test("what is passed on comes out as if it had been appended, however much is taken at once and whatever waits", () => {
  const step = fc.record({
    how: fc.constantFrom("along", "along", "along", "through", "append", "hold", "release"),
    gap: fc.boolean(),
    size: fc.nat(30_000),
    atOnce: fc.nat(50_000),
  });
  const reads = fc.array(fc.array(step, { maxLength: 8 }), { maxLength: 8 });
  fc.assert(
    fc.property(reads, (lent) => {
      const arena = new Arena(new Uint8Array(4 * 1024 * 1024));
      const out: Uint8Array[] = [];
      const write = (): void => {
        if (outbox.pending === 0 || outbox.holds > 0) return;
        out.push(outbox.take().slice());
        outbox.taken(true);
      };
      let atOnce = 0;
      const outbox: Outbox = new Outbox(arena, {
        outputReady: () => {},
        outputLarge: write,
        outputThrough(source, start, end) {
          write();
          if (outbox.backlog > 0) return 0;
          const taken = Math.min(atOnce, end - start);
          out.push(source.slice(start, start + taken));
          return taken;
        },
        mayWaitIn: (source) => source === arena.bytes,
      });
      const twin: Uint8Array[] = [];
      for (const [seed, steps] of lent.entries()) {
        const { bytes: memory, readStart } = arena;
        const used = steps.reduce((sum, { size }) => sum + size, 0);
        memory.set(bytes(used, seed), readStart);
        let at = readStart;
        for (const { how, gap, size, ...more } of steps) {
          atOnce = more.atOnce;
          if (how === "hold") outbox.hold();
          else if (how === "release") {
            if (outbox.holds > 0) outbox.release();
          } else {
            at = gap ? readStart : at;
            twin.push(memory.slice(at, at + size));
            if (how === "along") outbox.passAlong(memory, at, at + size);
            else if (how === "through") outbox.passThrough(memory, at, at + size);
            else outbox.appendRange(memory, at, at + size);
            at += size;
          }
        }
        outbox.settle();
        memory.fill(0xee, readStart, readStart + used);
      }
      while (outbox.holds > 0) outbox.release();
      write();
      same(concat(...out), concat(...twin));
    }),
    { numRuns: 100 },
  );
});

test("packets that follow each other where they lie leave in one piece", () => {
  const arena = new Arena(new Uint8Array(1024 * 1024));
  const pieces: [number, number][] = [];
  const outbox = new Outbox(arena, {
    outputReady: () => {},
    outputLarge: () => {},
    outputThrough(_source, start, end) {
      pieces.push([start, end]);
      return end - start;
    },
    mayWaitIn: () => true,
  });
  for (const [start, end] of [
    [0, 100],
    [100, 250],
    [250, 300],
    [400, 500],
  ] as const) {
    outbox.passAlong(arena.bytes, start, end);
  }
  expect(pieces).toEqual([[0, 300]]);
  outbox.settle();
  outbox.settle();
  expect(pieces).toEqual([
    [0, 300],
    [400, 500],
  ]);
  outbox.passAlong(arena.bytes, 0, 100);
  outbox.discard();
  outbox.settle();
  expect(pieces.length).toBe(2);
});
