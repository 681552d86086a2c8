import { describe, expect, test } from "vitest";
import { filterContains, filtersOverlap, topicMatches } from "../src/index.ts";
import { filtersOver, naiveMatches, paths } from "./naive.ts";

// Topics have words that no filter has ("z", "$z") and one level more than any filter: enough to tell filters apart.
const filters = filtersOver(["", "a", "$x"], 3);
const topics = paths(["", "a", "z", "$x", "$z"], 4);
const matched = new Map(filters.map((filter) => [filter, topics.map((topic) => naiveMatches(filter, topic))]));

test("topicMatches agrees with the naive matcher", () => {
  const wrong: unknown[] = [];
  for (const [filter, row] of matched) {
    topics.forEach((topic, i) => {
      if (topicMatches(filter, topic) !== row[i]) wrong.push([filter, topic]);
    });
  }
  expect(wrong).toEqual([]);
});

test("filterContains and filtersOverlap agree with trying all topics", () => {
  const wrong: unknown[] = [];
  for (const [outer, outerRow] of matched) {
    for (const [inner, innerRow] of matched) {
      const contains = innerRow.every((match, i) => !match || outerRow[i]);
      const overlap = innerRow.some((match, i) => match && outerRow[i]);
      if (filterContains(outer, inner) !== contains) wrong.push(["contains", outer, inner, contains]);
      if (filtersOverlap(outer, inner) !== overlap) wrong.push(["overlap", outer, inner, overlap]);
    }
  }
  expect(filters.length).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});

describe("the cases that are easy to get wrong", () => {
  test.each([
    ["#", "$SYS/#", false],
    ["#", "+", true],
    ["+/#", "#", true],
    ["+/#", "$x", false],
    ["+/a", "b/a", true],
    ["+/a", "$x/a", false],
    ["a/+/#", "a/#", false],
    ["a/#", "a/+/#", true],
    ["a/#", "a", true],
    ["a/+", "a/#", false],
    ["$SYS/#", "$SYS", true],
    ["a/+", "a/$x", true],
    ["+", "#", false],
    ["abc", "ab", false],
    ["a/+", "a/", true],
    ["/+/#", "/#", true], // the level above "/#" would be the empty topic
  ])("%s contains %s: %s", (outer, inner, expected) => {
    expect(filterContains(outer, inner)).toBe(expected);
  });

  test.each([
    ["#", "$SYS/#", false],
    ["a/#", "a", true],
    ["a/+", "a", false],
    ["+/b", "a/+", true],
    ["+/b", "$x/+", false],
    ["a/#", "+/b/#", true],
    ["a/b/#", "a/c/#", false],
    ["+", "/#", false], // only the empty topic would match both
  ])("%s and %s overlap: %s", (a, b, expected) => {
    expect(filtersOverlap(a, b)).toBe(expected);
    expect(filtersOverlap(b, a)).toBe(expected);
  });
});
