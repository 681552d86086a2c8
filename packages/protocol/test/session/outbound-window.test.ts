import fc from "fast-check";
import { expect, test } from "vitest";
import { Delivery, type OutboundState, OutboundWindow, TopicTable } from "../../src/index.ts";
import { message } from "../support/messages.ts";

const topics = new TopicTable();
const LAST = 65_535;

/** The same, without arithmetic. */
class NaiveWindow {
  readonly messages = new Map<number, { state: OutboundState; delivery: Delivery | undefined }>();
  next = 1;

  add(state: OutboundState, delivery: Delivery | undefined): number {
    const packetId = this.next;
    this.next = packetId === LAST ? 1 : packetId + 1;
    this.messages.set(packetId, { state, delivery });
    return packetId;
  }
}

type Command =
  | { readonly do: "add"; readonly state: 1 | 2; readonly kept: boolean }
  | { readonly do: "advance" | "settle"; readonly which: number }
  | { readonly do: "look"; readonly packetId: number };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("add" as const),
      state: fc.constantFrom(1 as const, 2 as const),
      kept: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("advance" as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("settle" as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("look" as const), packetId: fc.integer({ min: 1, max: LAST }) }),
  },
);

function same(window: OutboundWindow, naive: NaiveWindow): void {
  expect([...window.entries()]).toEqual(
    [...naive.messages].map(([packetId, { state, delivery }]) => [packetId, state, delivery]),
  );
  expect(window.size).toBe(naive.messages.size);
}

function run(window: OutboundWindow, naive: NaiveWindow, commands: readonly Command[]): void {
  for (const step of commands) {
    if (step.do === "add") {
      const delivery = step.kept
        ? new Delivery(message(topics, "a", "x", { qos: step.state }), step.state, false, undefined, 0)
        : undefined;
      expect(window.add(step.state, delivery)).toBe(naive.add(step.state, delivery));
    } else if (step.do === "look") {
      expect(window.state(step.packetId)).toBe(naive.messages.get(step.packetId)?.state ?? 0);
      expect(window.delivery(step.packetId)).toBe(naive.messages.get(step.packetId)?.delivery);
    } else if (naive.messages.size > 0) {
      const [packetId, entry] = [...naive.messages][step.which % naive.messages.size] as [
        number,
        { state: OutboundState },
      ];
      if (step.do === "settle") {
        window.settle(packetId);
        naive.messages.delete(packetId);
        expect(window.state(packetId)).toBe(0);
      } else {
        window.advance(packetId, 3);
        entry.state = 3;
      }
    }
  }
  same(window, naive);
}

/** As if this many messages had come and gone. */
function advanced(messages: number): [OutboundWindow, NaiveWindow] {
  const window = new OutboundWindow();
  for (let index = 0; index < messages; index++) window.settle(window.add(1, undefined));
  const naive = new NaiveWindow();
  naive.next = (messages % LAST) + 1;
  return [window, naive];
}

test("does what a map does, from the start and where identifiers begin again", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0, LAST - 20, LAST - 1, LAST, 2 * LAST - 7),
      fc.array(command, { maxLength: 120 }),
      (before, commands) => {
        const [window, naive] = advanced(before);
        run(window, naive, commands);
      },
    ),
    { numRuns: 150 },
  );
});

test("what was in flight is put back, also across the end of the identifiers, and goes on from there", () => {
  const states = fc.array(fc.constantFrom(0, 1, 2, 3) as fc.Arbitrary<0 | OutboundState>, {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: LAST }),
      states,
      fc.array(command, { maxLength: 40 }),
      (first, stored, commands) => {
        const window = new OutboundWindow();
        const naive = new NaiveWindow();
        for (const [index, state] of stored.entries()) {
          if (state === 0) continue;
          const packetId = ((first - 1 + index) % LAST) + 1;
          const delivery = new Delivery(message(topics, "a", "x"), 1, false, undefined, index);
          window.restore(packetId, state, delivery);
          naive.messages.set(packetId, { state, delivery });
          naive.next = (packetId % LAST) + 1;
        }
        run(window, naive, commands);
      },
    ),
    { numRuns: 150 },
  );
});

test("65,535 messages in flight are all there are; one that is settled in the middle makes no room, the first does", () => {
  const window = new OutboundWindow();
  for (let packetId = 1; packetId <= LAST; packetId++) expect(window.add(2, undefined)).toBe(packetId);
  expect(window.exhausted).toBe(true);
  expect(window.size).toBe(LAST);
  window.settle(3);
  expect(window.exhausted).toBe(true);
  window.settle(1);
  expect(window.exhausted).toBe(false);
  expect(window.add(1, undefined)).toBe(1);
  expect(window.state(1)).toBe(1);
  expect(window.state(3)).toBe(0);
  expect(window.exhausted).toBe(true);
  window.settle(2);
  expect([...window.entries()].map(([packetId]) => packetId).slice(0, 2)).toEqual([4, 5]);
  expect(window.add(1, undefined)).toBe(2);
  expect(window.add(1, undefined)).toBe(3);
});
