// What a routed message leaves for the garbage collector. Collections cost more than the bytes: at half a million messages
// a second each object more per message is another one a second.
import { describe, expect, test } from "vitest";
import { allocationPerMessage } from "../../tools/bench/budget/measure.mjs";

describe("heap bytes allocated per routed message", () => {
  // Measured: 228 and 244, mostly within 5 %. 200 of them are Message and PublishFrame. A closure that a hot function may
  // create costs every call its context, 40 to 70 bytes, created or not; a view of the payload would be 100.
  // A topic that was never there before: 332 and 337, the 88 bytes of a Topic more. A string of its name would be another
  // 60, a route of its own 400.
  test.each([
    ["known", 0, 290],
    ["known", 1, 290],
    ["unique", 0, 380],
    ["unique", 1, 380],
  ] as const)("%s topics, QoS %i: at most %i", async (topics, qos, bound) => {
    const { bytesPerMessage, collections, routed, messages } = await allocationPerMessage(qos, topics);
    expect(routed).toBe(messages);
    expect(collections).toBe(0);
    expect(bytesPerMessage).toBeGreaterThan(0);
    expect(bytesPerMessage).toBeLessThanOrEqual(bound);
  });

  test.each([0, 1] as const)("QoS %i, after somebody has watched all that can be watched: at most 290", async (qos) => {
    const { bytesPerMessage, routed, messages } = await allocationPerMessage(qos, "known", "watched");
    expect(routed).toBe(messages);
    expect(bytesPerMessage).toBeLessThanOrEqual(290);
  });
});
