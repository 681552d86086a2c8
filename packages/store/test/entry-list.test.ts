import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EntryList } from "../src/entry-list.ts";

test("an entry list equals a sorted map", () => {
  const step = fc.record({ seq: fc.integer({ min: 0, max: 200 }), add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const list = new EntryList<string>();
      const model = new Map<number, string>();
      for (const [i, { seq, add }] of steps.entries()) {
        if (add) list.set(seq, `${seq}:${i}`);
        else expect(list.delete(seq)).toBe(model.get(seq));
        if (add) model.set(seq, `${seq}:${i}`);
        else model.delete(seq);
        expect(list.size).toBe(model.size);
        expect(list.get(seq)).toBe(model.get(seq));
      }
      const sorted = [...model].sort(([a], [b]) => a - b);
      expect([...list.above(-1)]).toEqual(sorted.map(([, item]) => item));
      expect([...list.above(100)]).toEqual(sorted.filter(([seq]) => seq > 100).map(([, item]) => item));
    }),
  );
});
