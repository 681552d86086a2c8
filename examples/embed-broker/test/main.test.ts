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
  expect(lines[0]).toMatch(/^clients may connect to mqtt:\/\/127\.0\.0\.1:\d+$/);
  expect(lines.at(-1)).toBe("news hello");
});
