import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEFAULT_LIMITS, LIMITS, type Limit, type Limits } from "../src/index.ts";

const source = readFileSync(new URL("../src/limits.ts", import.meta.url), "utf8");
const table = Object.entries(LIMITS) as [keyof Limits, Limit<unknown>][];

/** The doc comment of an option, on one line. */
function docOf(name: string): string {
  const [before] = source.split(new RegExp(`\\n {2}readonly ${name}: `));
  const comment = before?.slice(before.lastIndexOf("/**")) ?? "";
  return comment.replaceAll(/\s*\n\s*\*?\s*/g, " ");
}

test.each(table)("%s: the doc comment names its default, and what 0 means", (name, limit) => {
  const written =
    typeof limit.default === "number" ? limit.default.toLocaleString("en") : JSON.stringify(limit.default);
  expect(docOf(name)).toContain(`Default ${written}.`);
  if (limit.zero === "no limit") expect(docOf(name)).toMatch(/0: (no limit|any)\./);
});

test.each(table)("%s: the default is within the bounds", (_name, limit) => {
  const { choices, minimum = 0, maximum = Number.MAX_SAFE_INTEGER, default: value } = limit;
  if (choices !== undefined) expect(choices).toContain(value);
  else if (typeof value === "number") {
    expect(value).toBeGreaterThanOrEqual(minimum);
    expect(value).toBeLessThanOrEqual(maximum);
    if (value === 0) expect(limit.zero).toBeDefined();
  } else expect(limit.unit).toBe("flag");
});

test("the defaults are those of the table, all of them", () => {
  expect(Object.keys(DEFAULT_LIMITS)).toEqual(table.map(([name]) => name));
  expect(DEFAULT_LIMITS).toMatchObject({
    maxConnections: 100_000,
    overflow: "backpressure",
    backpressureTimeout: 2_000,
  });
});
