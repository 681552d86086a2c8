import fc from "fast-check";
import { expect, test } from "vitest";
import { PacketIdSet } from "../../src/session/packet-id-set.ts";

const LAST = 65_535;
const anywhere = fc.integer({ min: 1, max: LAST });
/** Some far apart, some of them in one slot of every small table. */
const packetId = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  anywhere,
  fc.integer({ min: 1, max: 15 }).map((n) => n * 4_096),
);
const command = fc.record({ do: fc.constantFrom("add" as const, "delete" as const, "has" as const), packetId });

test("a set of packet identifiers answers as a Set does", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 400 }), (commands) => {
      const set = new PacketIdSet();
      const model = new Set<number>();
      for (const { do: what, packetId } of commands) {
        if (what === "add") {
          set.add(packetId);
          model.add(packetId);
        } else if (what === "delete") expect(set.delete(packetId)).toBe(model.delete(packetId));
        expect(set.has(packetId)).toBe(model.has(packetId));
        expect(set.size).toBe(model.size);
      }
      for (const id of model) expect(set.has(id)).toBe(true);
    }),
  );
});

test("all 65,535 packet identifiers fit, and leave again", () => {
  const set = new PacketIdSet();
  expect([set.has(0), set.delete(0)]).toEqual([false, false]);
  for (let id = 1; id <= LAST; id++) set.add(id);
  expect(set.size).toBe(LAST);
  let deleted = 0;
  for (let id = LAST; id >= 1; id--) if (set.delete(id)) deleted++;
  expect(deleted).toBe(LAST);
  expect([set.size, set.has(1), set.has(LAST)]).toEqual([0, false, false]);
});
