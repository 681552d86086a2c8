// What a routed message leaves for the garbage collector. Collections cost more than the bytes: at half a million messages
// a second each object more per message is another one a second.
import { describe, expect, test } from "vitest";
import { allocationPerMessage } from "../../bench/budget/measure.mjs";

describe("heap bytes allocated per routed message", () => {
  // Measured: 434 and 520, always within 3 %. A message is about 220 of them; a view of its payload would be 100 more.
  test.each([
    [0, 550],
    [1, 650],
  ])("QoS %i: at most %i", async (qos, bound) => {
    const { bytesPerMessage, collections, routed, messages } = await allocationPerMessage(qos);
    expect(routed).toBe(messages);
    expect(collections).toBe(0);
    expect(bytesPerMessage).toBeGreaterThan(0);
    expect(bytesPerMessage).toBeLessThanOrEqual(bound);
  });
});
