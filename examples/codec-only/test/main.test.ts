import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.restoreAllMocks();
});

test("the example prints what it should", async () => {
  const lines: unknown[] = [];
  vi.spyOn(console, "log").mockImplementation((...words: unknown[]) => {
    lines.push(words.length === 1 ? words[0] : words.join(" "));
  });
  await import("../src/main.ts");
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatchObject({ type: "publish", topic: "room/1", qos: 1, packetId: 7 });
  expect(lines[1]).toEqual([]);
  expect(lines[2]).toEqual([lines[0]]);
});
