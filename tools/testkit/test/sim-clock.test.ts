import { expect, test } from "vitest";
import { SimClock } from "../src/index.ts";

test("timers fire in the order of their times, each at its time, and turns follow each", async () => {
  const clock = new SimClock(0);
  const seen: string[] = [];
  clock.at(20, () => seen.push(`b${clock.now()}`));
  clock.at(10, () => {
    seen.push(`a${clock.now()}`);
    clock.soon(() => seen.push("soon"));
    clock.schedule(() => seen.push("task"));
  });
  const cancel = clock.at(15, () => seen.push("cancelled"));
  cancel();
  await clock.advance(19);
  expect(seen).toEqual(["a10", "task", "soon"]);
  await clock.advance(1);
  expect(seen).toEqual(["a10", "task", "soon", "b20"]);
  expect(clock.now()).toBe(20);
});

test("timers that are set while others fire are part of the same advance", () => {
  const clock = new SimClock(0);
  let count = 0;
  const again = (): void => {
    count++;
    clock.at(clock.now() + 10, again);
  };
  clock.at(10, again);
  clock.advanceNow(100);
  expect(count).toBe(10);
});

test("a simulation that wakes itself for ever is told so", () => {
  const clock = new SimClock(0);
  const again = (): void => clock.soon(again);
  again();
  expect(() => clock.run()).toThrow("rest");
});
