// The keys of session tickets, without a clock or a socket.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TicketKeys, type TicketOptions } from "../../src/tls/ticket-keys.ts";

const HOUR = 3_600_000;
const options: TicketOptions = { secret: new Uint8Array(32).fill(7), scope: "rules", lifetime: 2 * HOUR, ends: [] };
const keys = (more: Partial<TicketOptions> = {}): TicketKeys => new TicketKeys({ ...options, ...more });
const START = Date.UTC(2026, 0, 1);

test("everybody with the same secret and the same rules has the same keys, at any time", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 42 }), fc.array(fc.integer({ min: 0, max: 2 ** 42 })), (now, others) => {
      const one = keys();
      // What has been asked before makes no difference.
      for (const other of others) one.current(other);
      expect(one.current(now)).toEqual(keys().current(now));
      expect(keys().byName(one.current(now).name, now)).toEqual(one.current(now));
    }),
  );
});

test("a ticket counts for its whole lifetime, and no longer than two", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: START, max: START + 1000 * HOUR }),
      fc.integer({ min: 0, max: 10 * HOUR }),
      (at, age) => {
        const { name } = keys().current(at);
        const found = keys().byName(name, at + age);
        if (age < options.lifetime) expect(found?.name).toEqual(name);
        if (age >= 2 * options.lifetime) expect(found).toBeUndefined();
      },
    ),
  );
});

test("another secret or other rules: other keys, every part of them", () => {
  const one = keys().current(START);
  for (const more of [{ secret: new Uint8Array(32).fill(8) }, { scope: "other rules" }, { ends: [START - 1] }]) {
    const other = keys(more).current(START);
    for (const part of ["name", "hmac", "aes"] as const) expect(other[part]).not.toEqual(one[part]);
    expect(keys(more).byName(one.name, START)).toBeUndefined();
  }
  expect(new Set([one.name, one.hmac, one.aes].map((part) => Buffer.from(part).toString("hex"))).size).toBe(3);
  expect(one.all).toEqual(Buffer.concat([one.name, one.hmac, one.aes]));
});

describe("an authority or a revocation list that ends", () => {
  const end = START + HOUR / 2;

  test("takes all tickets of before with it", () => {
    const ending = keys({ ends: [end] });
    const { name } = ending.current(end - 1);
    expect(ending.byName(name, end - 1)).toBeDefined();
    expect(ending.byName(name, end)).toBeUndefined();
    expect(ending.byName(ending.current(end).name, end + HOUR)).toBeDefined();
  });

  test("is the next change, or the turn is", () => {
    const ending = keys({ ends: [end + 10 * HOUR, end] });
    expect(ending.nextChange(START)).toBe(end);
    expect(ending.nextChange(end)).toBe((Math.floor(end / options.lifetime) + 1) * options.lifetime);
    fc.assert(
      fc.property(fc.integer({ min: START, max: START + 20 * HOUR }), (now) => {
        const next = ending.nextChange(now);
        expect(next).toBeGreaterThan(now);
        expect(ending.current(next - 1).name).toEqual(ending.current(now).name);
        expect(ending.current(next).name).not.toEqual(ending.current(now).name);
      }),
    );
  });
});
