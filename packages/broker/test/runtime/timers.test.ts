import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Timer, Timers } from "../../src/runtime/timers.ts";
import { SimClock } from "../support.ts";

/** One step of a life with timers. */
type Step =
  | { readonly do: "set"; readonly delay: number }
  | { readonly do: "cancel"; readonly which: number }
  | { readonly do: "pass"; readonly time: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(50).map((delay): Step => ({ do: "set", delay })) },
  { weight: 3, arbitrary: fc.nat(200).map((which): Step => ({ do: "cancel", which })) },
  { weight: 1, arbitrary: fc.nat(10).map((time): Step => ({ do: "pass", time })) },
);

describe("timers", () => {
  test("as a plain list of times would: each at its time, cancelled ones never, none kept", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const clock = new SimClock(0);
        const timers = new Timers(clock, () => {});
        const fired: [id: number, at: number][] = [];
        const model: { readonly id: number; readonly time: number; readonly timer: Timer; state: "set" | "off" }[] = [];
        const expected: [id: number, at: number][] = [];
        for (const one of steps) {
          if (one.do === "set") {
            const id = model.length;
            const time = clock.now() + one.delay;
            const timer = timers.at(time, (now) => void fired.push([id, now]));
            model.push({ id, time, timer, state: "set" });
          } else if (one.do === "cancel") {
            const entry = model[one.which];
            entry?.timer.cancel();
            if (entry !== undefined) entry.state = "off";
          } else {
            clock.advanceNow(one.time);
            for (const entry of model) {
              if (entry.state === "off" || entry.time > clock.now()) continue;
              entry.state = "off";
              expected.push([entry.id, entry.time]);
            }
          }
          expect(timers.size).toBe(model.filter(({ state }) => state === "set").length);
        }
        const sorted = (list: [number, number][]): [number, number][] => [...list].sort((a, b) => a[0] - b[0]);
        expect(sorted(fired)).toEqual(sorted(expected));
        const times = fired.map(([, at]) => at);
        expect(times).toEqual([...times].sort((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  test("what one throws keeps no other from its time", () => {
    const clock = new SimClock(0);
    const errors: unknown[] = [];
    const timers = new Timers(clock, (error) => errors.push(error));
    const fired: number[] = [];
    timers.at(5, () => {
      throw new Error("mine");
    });
    timers.at(5, (now) => void fired.push(now));
    timers.at(9, (now) => void fired.push(now));
    clock.advanceNow(10);
    expect(fired).toEqual([5, 9]);
    expect(errors).toHaveLength(1);
  });

  test("a deadline further away than timers of the platform reach comes in its time", () => {
    const clock = new SimClock(0);
    const timers = new Timers(
      {
        ...clock,
        now: () => clock.now(),
        soon: (callback) => clock.soon(callback),
        at: (time, callback) => clock.at(Math.min(time, clock.now() + 1_000), callback),
      },
      () => {},
    );
    const fired: number[] = [];
    timers.at(10_500, (now) => void fired.push(now));
    clock.advanceNow(10_499);
    expect(fired).toEqual([]);
    clock.advanceNow(1_000);
    expect(fired).toHaveLength(1);
  });

  test("a timer may set and cancel others when it fires; clear leaves nothing", () => {
    const clock = new SimClock(0);
    const timers = new Timers(clock, () => {});
    const fired: string[] = [];
    const doomed = timers.at(5, () => void fired.push("doomed"));
    timers.at(4, () => {
      fired.push("first");
      doomed.cancel();
      timers.at(4, () => void fired.push("at once"));
      timers.at(6, () => void fired.push("later"));
    });
    clock.advanceNow(10);
    expect(fired).toEqual(["first", "at once", "later"]);
    timers.at(20, () => void fired.push("never"));
    timers.clear();
    clock.advanceNow(100);
    expect(fired).toHaveLength(3);
    expect(clock.pendingTimers).toBe(0);
  });
});
