import fc from "fast-check";
import { expect, test } from "vitest";
import { type Event, LossyNetwork } from "./support/lossy-network.ts";

const qos = fc.constantFrom(1 as const, 2 as const);
const bytes = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(1_000));
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("publish" as const, "deliver" as const), qos }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom("up" as const, "down" as const), bytes }) },
  { weight: 2, arbitrary: fc.constant<Event>({ do: "settle" }) },
  { weight: 1, arbitrary: fc.constant<Event>({ do: "cut" }) },
);

/** Numbers of the messages of a QoS, in the order in which they came first; how often each came. */
function seen(messages: readonly string[], wanted: 1 | 2): { readonly first: number[]; readonly count: number } {
  const numbers = messages.flatMap((text) => (text.charAt(1) === String(wanted) ? [Number(text.slice(3))] : []));
  return { first: [...new Set(numbers)], count: numbers.length };
}

function expected(events: readonly Event[], kind: "publish" | "deliver", wanted: 1 | 2): number[] {
  let number = 0;
  return events.flatMap((one) => {
    if (one.do !== kind) return [];
    number++;
    return one.qos === wanted ? [number] : [];
  });
}

// A failing run prints its seed and path: pass them to fc.assert to have it again.
test.each([
  [4, false],
  [4, true],
  [5, false],
  [5, true],
] as const)(
  "whatever the network loses: QoS 2 arrives exactly once, QoS 1 at least once, in order (version %d, deferred %s)",
  (version, defers) => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 150 }), (events) => {
        const network = new LossyNetwork(version, defers);
        network.play(events);
        network.heal();
        expect(network.connection.isOpen).toBe(true);
        for (const [messages, kind] of [
          [network.atServer, "publish"],
          [network.atClient, "deliver"],
        ] as const) {
          const once = seen(messages, 2);
          expect(once.first).toEqual(expected(events, kind, 2));
          expect(once.count).toBe(once.first.length);
          expect(seen(messages, 1).first).toEqual(expected(events, kind, 1));
        }
        expect(network.residue).toEqual({
          waiting: 0,
          inFlight: 0,
          inbound: 0,
          serverWindow: 0,
          serverQueue: 0,
          serverInbound: 0,
        });
        expect(network.driver.dropped).toEqual([]);
      }),
      { numRuns: 300 },
    );
  },
);
