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
  expect(lines).toEqual([
    "ada/# is granted",
    expect.stringMatching(/^bob\/# .*error/i),
    expect.stringMatching(/not authorized/i),
  ]);
});
