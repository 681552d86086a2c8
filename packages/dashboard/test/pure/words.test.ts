// Names of the broker in words: reasons, outcomes, what a reload does; when sessions end.
import { describe, expect, test } from "vitest";
import { consequences, EFFECTS, type Effect } from "../../web/pure/changes.ts";
import { expiresIn } from "../../web/pure/expiry.ts";
import { dropReason, outcomeWords } from "../../web/pure/reasons.ts";

test("reasons and outcomes have words; new ones are shown as they are", () => {
  expect(dropReason("queueFull")).toBe("the queue was full");
  expect(dropReason("somethingNew")).toBe("somethingNew");
  expect(outcomeWords("candidate")).toMatchObject({ tone: "ok", arrives: true });
  expect(outcomeWords("offline")).toMatchObject({ tone: "warn", arrives: false });
  expect(outcomeWords("somethingNew")).toEqual({ tone: "quiet", name: "somethingNew", meaning: "", arrives: false });
});

describe("a reload", () => {
  const of = (...all: readonly [key: string, effect: Effect][]): string[] =>
    consequences(all.map(([key, effect]) => ({ key, effect })));

  test("that only changes what counts at once needs no warning", () => {
    expect(of(["limits.max_sessions", "now"], ["listeners.a.max_connections", "now"])).toEqual([]);
    expect(of()).toEqual([]);
  });

  test("says which listeners lose their clients, each once", () => {
    expect(of(["listeners.a.bind", "moves"], ["listeners.a.type", "moves"], ["listeners.b", "closes"])).toEqual([
      "The listeners a, b close or move: clients there are disconnected.",
    ]);
    expect(of(["listeners.a", "closes"])[0]).toMatch(/^The listener a closes or moves/);
  });

  test("says what waits for a restart, and that plugins are asked again", () => {
    expect(of(["plugins.acl.file", "startsAgain"], ["workers", "restart"])).toEqual([
      "Plugins change: what clients may do is checked again.",
      "One change counts only after a restart of the broker.",
    ]);
    expect(of(["workers", "restart"], ["store.path", "restart"])).toEqual([
      "Nothing of it counts before the broker is started again.",
    ]);
  });

  test("has words for every effect", () => {
    for (const { text, tone } of Object.values(EFFECTS)) expect([text, tone].every((word) => word !== "")).toBe(true);
  });
});

test("a session that is away ends when its interval is over", () => {
  const at = Date.parse("2026-01-01T00:00:00.000Z");
  const away = { connected: false, disconnectedAt: "2026-01-01T00:00:00.000Z", expiryInterval: 60 };
  expect(expiresIn(away, at + 20_000)).toBe(40);
  expect(expiresIn(away, at + 90_000)).toBe(0);
  expect(expiresIn({ ...away, connected: true }, at)).toBeUndefined();
  expect(expiresIn({ ...away, expiryInterval: null }, at)).toBeUndefined();
  expect(expiresIn({ connected: false, expiryInterval: 60 }, at)).toBeUndefined();
});
