import fc from "fast-check";
import { expect, test } from "vitest";
import { PendingAcks, UNKNOWN } from "../../src/connection/pending-acks.ts";

interface Ack {
  readonly packetId: number;
  readonly qos: 1 | 2;
  reasonCode: number;
}

function first(acks: PendingAcks): Ack {
  const { packetId, qos, reasonCode } = acks;
  return { packetId, qos, reasonCode };
}

test("acknowledgements leave in the order of their messages, whatever the order of their reason codes", () => {
  const packetIds = fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { maxLength: 400 });
  fc.assert(
    fc.property(packetIds, fc.infiniteStream(fc.nat(0xffff)), (ids, numbers) => {
      const acks = new PendingAcks();
      const model: Ack[] = [];
      const number = (): number => numbers.next().value as number;
      const left: number[] = [];
      const settle = (): void => {
        const waiting = model.filter(({ reasonCode }) => reasonCode === UNKNOWN);
        if (waiting.length === 0) return;
        const ack = waiting[number() % waiting.length] as Ack;
        ack.reasonCode = number() & 0xff;
        expect(acks.settle(ack.packetId, ack.reasonCode)).toBe(ack.qos);
        expect(acks.settle(ack.packetId, 0)).toBe(0);
        while (acks.isReady) {
          expect(first(acks)).toEqual(model[0]);
          left.push((model.shift() as Ack).packetId);
          acks.shift();
        }
        expect(acks.size).toBe(model.length);
        if (model[0] !== undefined) expect(first(acks)).toEqual(model[0]);
      };
      for (const packetId of ids) {
        const ack: Ack = { packetId, qos: number() % 2 === 0 ? 1 : 2, reasonCode: number() % 3 === 0 ? 0x97 : UNKNOWN };
        // One whose code is known only waits behind another.
        if (model.length === 0) ack.reasonCode = UNKNOWN;
        acks.add(packetId, ack.qos, ack.reasonCode);
        model.push(ack);
        expect(acks.has(packetId)).toBe(true);
        if (number() % 2 === 0) settle();
      }
      while (model.length > 0) settle();
      expect(left).toEqual(ids);
      expect(acks.isReady).toBe(false);
      for (const packetId of ids) expect(acks.has(packetId)).toBe(false);
    }),
  );
});
