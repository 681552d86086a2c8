// Samples, rates, and what is said of them.
import { describe, expect, test } from "vitest";
import { type Certificate, findingsOf, type Health } from "../../web/pure/findings.ts";
import {
  addSamples,
  column,
  lastSeconds,
  MOST_SAMPLES,
  rates,
  reasonsOf,
  recentRate,
  type Sample,
} from "../../web/pure/rates.ts";
import { Store } from "../../web/pure/store.ts";

const sample = (second: number, more: Partial<Sample> = {}): Sample => ({
  at: second * 1_000,
  messages: { received: second * 10, sent: 0, dropped: 0 },
  bytes: { received: 0, sent: 0 },
  droppedByReason: {},
  connections: 1,
  sessions: 1,
  subscriptions: 0,
  retained: 0,
  queued: 0,
  heapBytes: 1,
  residentBytes: 1,
  loopDelayP99: 0.001,
  ...more,
});
const seconds = (count: number, of: (second: number) => Partial<Sample> = () => ({})): Sample[] =>
  Array.from({ length: count }, (_, second) => sample(second, of(second)));
const received = ({ messages }: Sample): number => messages.received;

describe("samples", () => {
  test("are kept for 15 minutes, each once", () => {
    const kept = addSamples([sample(1), sample(2)], [sample(2), sample(3)]);
    expect(kept.map(({ at }) => at)).toEqual([1_000, 2_000, 3_000]);
    const many = addSamples(seconds(MOST_SAMPLES), [sample(MOST_SAMPLES)]);
    expect([many.length, many[0]?.at]).toEqual([MOST_SAMPLES, 1_000]);
  });

  test("become rates; a gap and a counter that began again are none", () => {
    const began = sample(3, { messages: { received: 5, sent: 0, dropped: 0 } });
    const later = { ...sample(20), messages: { received: 25, sent: 0, dropped: 0 } };
    expect(rates([sample(1), sample(2), began, later], received)).toEqual([null, 10, null, null]);
    expect(column([sample(1), sample(2, { latencyP99: 3 })], (one) => one.latencyP99)).toEqual([null, 3]);
  });

  test("have a rate of the last seconds, if it is known", () => {
    expect(recentRate(seconds(10), received)).toBe(10);
    expect(recentRate([], received)).toBeNaN();
    expect(recentRate([sample(1)], received)).toBeNaN();
    expect(recentRate([sample(5), sample(6, { messages: { received: 0, sent: 0, dropped: 0 } })], received)).toBeNaN();
    expect(lastSeconds(seconds(10), 3).map(({ at }) => at)).toEqual([7_000, 8_000, 9_000]);
  });

  test("say the reasons of losses, the most frequent first", () => {
    const all = [
      sample(1, { droppedByReason: { queueFull: 5, expired: 9, offline: 4 } }),
      sample(2, { droppedByReason: { queueFull: 8, expired: 9, offline: 1, tooLarge: 1 } }),
    ];
    expect(reasonsOf(all)).toEqual([
      { reason: "queueFull", count: 3 },
      { reason: "offline", count: 1 },
      { reason: "tooLarge", count: 1 },
    ]);
    expect(reasonsOf([])).toEqual([]);
  });
});

describe("what is wrong", () => {
  const well: Health = { ready: true, state: "started", checks: [{ name: "store", ok: true }] };
  const textsOf = (...given: Parameters<typeof findingsOf>): string[] =>
    findingsOf(...given).map(({ level, text }) => `${level}: ${text.replaceAll("\u00a0", " ")}`);

  test("nothing, as long as nothing is", () => {
    expect(findingsOf(undefined, [])).toEqual([]);
    expect(findingsOf(well, seconds(60))).toEqual([]);
  });

  test("checks that fail, the worst first, with their detail", () => {
    const checks = [
      { name: "not draining", ok: false, detail: "since noon" },
      { name: "store", ok: false, detail: "ENOSPC" },
      { name: "moon", ok: false },
    ];
    const found = findingsOf({ ready: false, state: "started", checks }, []);
    expect(found.map(({ level, text }) => `${level}: ${text}`)).toEqual([
      "bad: The store refuses what is written",
      "bad: The check “moon” fails",
      "warn: The broker is draining",
    ]);
    expect(found[0]?.hint).toContain("(ENOSPC)");
  });

  test("losses that are somebody's fault, not those that are usual", () => {
    const lost = seconds(60, (second) => ({ droppedByReason: { offline: second, queueFull: second === 59 ? 1 : 0 } }));
    expect(textsOf(well, lost)).toEqual(["warn: 1 message was lost in the last minute: the queue was full"]);
    const full = seconds(60, (second) => ({ droppedByReason: { storeFull: second } }));
    expect(textsOf(well, full)).toEqual(["bad: 59 messages were lost in the last minute: the store was full"]);
  });

  test("an event loop that is late again and again, and a queue that grows", () => {
    const late = (times: number) => seconds(60, (second) => ({ loopDelayP99: second >= 60 - times ? 0.25 : 0.001 }));
    expect(textsOf(well, late(2))).toEqual([]);
    expect(textsOf(well, late(3))).toEqual(["warn: The event loop is late by 250 ms"]);
    const grows = seconds(60, (second) => ({ queued: second * 100 }));
    expect(textsOf(well, grows)).toEqual(["warn: 5,900 messages wait, and it gets more by 100/s"]);
    expect(
      textsOf(
        well,
        seconds(60, () => ({ queued: 50_000 })),
      ),
    ).toEqual([]);
  });

  test("a plugin that has failed within ten minutes, with its message", () => {
    const lastFailureAt = "2026-01-01T00:00:00.000Z";
    const at = (minutes: number) => Date.parse(lastFailureAt) + minutes * 60_000;
    const plugins = [{ name: "well" }, { name: "notes", lastFailureAt, lastFailure: "connected: gone" }];
    expect(findingsOf(well, [], [], plugins, at(9))).toMatchObject([
      { level: "warn", text: expect.stringContaining("“notes” has failed"), hint: "connected: gone" },
    ]);
    expect(findingsOf(well, [], [], plugins, at(11))).toEqual([]);
  });

  test("certificates: 30 days before their end, more so 7 days before, and those that cannot be read", () => {
    const of = (certificate: Omit<Certificate, "listener">): string[] =>
      textsOf(well, [], [{ listener: "tls", ...certificate }]);
    expect(of({ daysLeft: 31 })).toEqual([]);
    expect(of({ daysLeft: 30 })).toEqual(["warn: The certificate of “tls” ends in 30 d"]);
    expect(of({ daysLeft: 7 })).toEqual(["bad: The certificate of “tls” ends in 7 d"]);
    expect(of({ daysLeft: -1 })).toEqual(["bad: The certificate of “tls” has ended"]);
    expect(of({ problem: "ENOENT" })).toEqual(["warn: A certificate of “tls” cannot be read"]);
  });
});

test("a store tells those who want to know, when it changes, until they no longer want to", () => {
  const store = new Store(1);
  const heard: number[] = [];
  const end = store.subscribe(() => heard.push(store.value));
  expect(store.hasListeners).toBe(true);
  store.set(1);
  store.set(2);
  end();
  store.set(3);
  expect([heard, store.hasListeners]).toEqual([[2], false]);
});
