import { expect, test } from "vitest";
import { VerifiedPairs } from "../src/index.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function pairs(lifetime: number, limit?: number) {
  let now = 0;
  const kept = new VerifiedPairs(lifetime, limit, () => now);
  return {
    kept,
    later: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test("a pair that was right is known for a while, and anew each time it is used", () => {
  const { kept, later } = pairs(1000);
  kept.add("bob", "hash", bytes("secret"));
  later(999);
  expect(kept.has("bob", "hash", bytes("secret"))).toBe(true);
  later(999);
  expect(kept.has("bob", "hash", bytes("secret"))).toBe(true);
  later(1000);
  expect(kept.has("bob", "hash", bytes("secret"))).toBe(false);
});

test("another user, another password or another stored hash is another pair", () => {
  const { kept } = pairs(1000);
  kept.add("bob", "hash", bytes("secret"));
  expect(kept.has("eve", "hash", bytes("secret"))).toBe(false);
  expect(kept.has("bob", "changed", bytes("secret"))).toBe(false);
  expect(kept.has("bob", "hash", bytes("secret2"))).toBe(false);
  expect(kept.has("bob", "hash", bytes(""))).toBe(false);
});

test("a lifetime of 0 remembers nothing", () => {
  const { kept } = pairs(0);
  kept.add("bob", "hash", bytes("secret"));
  expect(kept.size).toBe(0);
  expect(kept.has("bob", "hash", bytes("secret"))).toBe(false);
});

test("only so many are kept, the longest unused goes first", () => {
  const { kept } = pairs(1000, 2);
  for (const name of ["a", "b"]) kept.add(name, "hash", bytes("x"));
  kept.has("a", "hash", bytes("x"));
  kept.add("c", "hash", bytes("x"));
  expect(kept.size).toBe(2);
  expect(["a", "b", "c"].map((name) => kept.has(name, "hash", bytes("x")))).toEqual([true, false, true]);
});

test("the password is not kept", () => {
  const { kept } = pairs(1000);
  kept.add("bob", "hash", bytes("very secret"));
  const own = Reflect.ownKeys(kept).map((key) => String((kept as unknown as Record<PropertyKey, unknown>)[key]));
  expect(JSON.stringify(own)).not.toContain("very secret");
});
