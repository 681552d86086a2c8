import { expect, test } from "vitest";
import { isTopicFilter, isTopicName, SubscriptionTree, TopicTree, topicMatches } from "../src/index.ts";
import * as tables from "./tables.ts";

/** What a statement is called in the version under test. */
export interface Section47Ids {
  readonly wildcardsOnlyInFilters: string;
  readonly hashPlacement: string;
  readonly plusPlacement: string;
  readonly dollar: string;
  readonly notEmpty: string;
  readonly noNul: string;
  readonly noNormalization: string;
}

/** Both versions say the same in section 4.7; only the numbers of some statements differ. */
export function section47(ids: Section47Ids): void {
  test(`[${ids.wildcardsOnlyInFilters}] a topic name has no wildcards`, () => {
    for (const name of tables.validNames) expect([name, isTopicName(name)]).toEqual([name, true]);
    for (const name of tables.namesWithWildcards) expect([name, isTopicName(name)]).toEqual([name, false]);
  });

  test(`[${ids.hashPlacement}] "#" is a whole level and the last one`, () => {
    for (const filter of tables.multiLevelValid) expect([filter, isTopicFilter(filter)]).toEqual([filter, true]);
    for (const filter of tables.multiLevelInvalid) expect([filter, isTopicFilter(filter)]).toEqual([filter, false]);
  });

  test(`[${ids.plusPlacement}] "+" is a whole level, anywhere`, () => {
    for (const filter of tables.singleLevelValid) expect([filter, isTopicFilter(filter)]).toEqual([filter, true]);
    for (const filter of tables.singleLevelInvalid) expect([filter, isTopicFilter(filter)]).toEqual([filter, false]);
  });

  test(`[${ids.dollar}] wildcards of the first level do not match topics that begin with "$"`, () => {
    expectMatches(tables.dollarMatches);
  });

  test(`[${ids.notEmpty}] the empty string is neither a topic name nor a topic filter`, () => {
    expect(isTopicName("")).toBe(false);
    expect(isTopicFilter("")).toBe(false);
  });

  test(`[${ids.noNul}] U+0000 is in no topic name and no topic filter`, () => {
    for (const text of ["\0", "a\0", "\0/a", "a/\0/b"]) {
      expect(isTopicName(text)).toBe(false);
      expect(isTopicFilter(text)).toBe(false);
      expect(isTopicFilter(`${text}/#`)).toBe(false);
    }
  });

  test(`[${ids.noNormalization}] names and filters are compared as they are`, () => {
    expectMatches(tables.exactMatches);
  });

  test("the examples of section 4.7.1 and their neighbours match or not", () => {
    expectMatches(tables.matches);
  });
}

/** All three ways to match must give the same answer. */
function expectMatches(rows: readonly (readonly [string, string, boolean])[]): void {
  for (const [filter, topic, expected] of rows) {
    expect([filter, topic, topicMatches(filter, topic)]).toEqual([filter, topic, expected]);
    const subscriptions = new SubscriptionTree<string, number>();
    subscriptions.set(filter, "key", 1);
    let visits = 0;
    subscriptions.match(topic, () => visits++);
    expect([filter, topic, visits]).toEqual([filter, topic, expected ? 1 : 0]);
    const topics = new TopicTree<number>();
    topics.set(topic, 1);
    expect([filter, topic, [...topics.matching(filter)].length]).toEqual([filter, topic, expected ? 1 : 0]);
  }
}
