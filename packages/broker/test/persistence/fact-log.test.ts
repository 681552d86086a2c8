import { Arena, Outbox } from "@wrenmq/protocol";
import { MemoryStore, type StoreError, type StoreOp } from "@wrenmq/store";
import { contentsOf, FaultyStore, randomBatches } from "@wrenmq/store/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FactLog } from "../../src/persistence/fact-log.ts";
import { firstMessageId } from "../../src/persistence/message-numbers.ts";
import { Timers } from "../../src/runtime/timers.ts";
import { MemoryLogger, SimClock } from "../support.ts";

/** What happens between two turns of the event loop. */
const trouble = fc.constantFrom("nothing", "nothing", "hold", "release one", "release", "throw", "reject", "time");

/** A broker never records a fact of a session that it does not have. */
function possible(batches: readonly (readonly StoreOp[])[]): StoreOp[][] {
  const known = new Set<string>();
  return batches.map((batch) =>
    batch.filter((op) => {
      if (op.op === "putSession") {
        known.add(op.record.clientId);
        return true;
      }
      if (!("clientId" in op)) return true;
      return op.op === "deleteSession" ? known.delete(op.clientId) : known.has(op.clientId);
    }),
  );
}

function journalOf(store: FaultyStore) {
  const clock = new SimClock();
  const timers = new Timers(clock, (error) => {
    throw error;
  });
  let wakes = 0;
  const factLog: FactLog = new FactLog({
    store,
    timers,
    logger: new MemoryLogger(),
    now: () => clock.now(),
    wake: () => {
      if (wakes++ === 0) {
        clock.soon(() => {
          wakes = 0;
          factLog.commit();
        });
      }
    },
    recovered: () => {},
  });
  return { factLog, clock };
}

describe("journal", () => {
  test("whatever the store refuses or delays, in the end it holds what was recorded, in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        randomBatches.map(possible),
        fc.array(trouble, { minLength: 1, maxLength: 30 }),
        async (batches, troubles) => {
          const inner = new MemoryStore();
          const plain = new MemoryStore();
          inner.open();
          plain.open();
          const store = new FaultyStore(inner);
          const { factLog, clock } = journalOf(store);
          const outbox = new Outbox(new Arena(new Uint8Array(512 * 1024)), { outputReady() {}, outputLarge() {} });
          const told: [number, StoreError | undefined, boolean][] = [];
          for (const [index, batch] of batches.entries()) {
            const what = troubles[index % troubles.length];
            if (what === "hold") store.holdCommits();
            else if (what === "release one") store.releaseCommits(1);
            else if (what === "release") store.releaseCommits();
            else if (what === "throw") store.failNext(1);
            else if (what === "reject") store.failNext(1, { rejects: true });
            else if (what === "time") await clock.advance(600);
            for (const op of batch) factLog.record(op, outbox);
            plain.apply(batch);
            factLog.whenDurable((error) => told.push([index, error, outbox.holds > 0]));
            clock.run();
            if (index % 3 === 0) await clock.settle();
          }
          store.releaseCommits();
          for (let time = 0; time < 40 && !factLog.isSettled; time++) await clock.advance(600);
          expect(factLog.isSettled).toBe(true);
          expect(contentsOf(inner)).toEqual(contentsOf(plain));
          // Everybody is told, once, in order; and nothing is held in the end.
          expect(told.map(([index]) => index)).toEqual(batches.map((_, index) => index));
          expect(outbox.holds).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("drain waits for what is under way, and says what was lost", async () => {
    const inner = new MemoryStore();
    inner.open();
    const store = new FaultyStore(inner);
    const { factLog, clock } = journalOf(store);
    store.holdCommits();
    factLog.record({ op: "deleteRetained", topic: "a" }, undefined);
    let drained = false;
    const draining = factLog.drain().then(() => {
      drained = true;
    });
    await clock.settle();
    expect(drained).toBe(false);
    store.releaseCommits();
    await draining;
    factLog.record({ op: "deleteRetained", topic: "late" }, undefined);
    expect(factLog.isPending).toBe(false);
  });
});

describe("message numbers", () => {
  const year = 365 * 24 * 3_600 * 1_000;

  test("stay below 2^53 for the next hundred years, and leave room for as many more", () => {
    for (let years = 0; years <= 200; years++) {
      const first = firstMessageId(Date.UTC(2026, 0, 1) + years * year);
      expect(Number.isSafeInteger(first), `${years} years`).toBe(true);
    }
  });

  test("grow with time, and are above what was given before they grew more slowly", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2120, 0) }),
        fc.integer({ min: 1, max: year }),
        (at, later) => {
          expect(firstMessageId(at + later)).toBeGreaterThan(firstMessageId(at));
        },
      ),
    );
    const change = Date.UTC(2027, 0, 1);
    expect(firstMessageId(change)).toBe(change * 4096);
    expect(firstMessageId(change + 1)).toBeGreaterThan(change * 4096);
  });
});
