import { sampleSession } from "@wrenmq/store/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EntryTable } from "../../src/index/entry-table.ts";
import { Ledger } from "../../src/index/ledger.ts";
import { MessageTable } from "../../src/index/message-table.ts";
import { HAS_IDENTIFIERS } from "../../src/journal/entry-flags.ts";
import { DamagedError, RecordReader } from "../../src/journal/record-reader.ts";
import { RecordWriter } from "../../src/journal/record-writer.ts";

test("a message table equals a map", () => {
  const id = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.maxSafeNat());
  const step = fc.record({ id, add: fc.integer({ min: 0, max: 2 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 6000, size: "max" }), (steps) => {
      const table = new MessageTable();
      const model = new Map<number, number>();
      for (const [i, step] of steps.entries()) {
        if (step.add > 0) {
          table.place(table.add(step.id), 1, i, 2);
          model.set(step.id, i);
        } else {
          const at = table.find(step.id);
          expect(at >= 0).toBe(model.delete(step.id));
          if (at >= 0) table.remove(at);
        }
      }
      expect(table.size).toBe(model.size);
      for (const [id, offset] of model) expect(table.offset(table.find(id))).toBe(offset);
      expect(new Set(table.ids())).toEqual(new Set(model.keys()));
    }),
    { numRuns: 30 },
  );
});

test("an entry table equals a sorted map", () => {
  const step = fc.record({
    seq: fc.integer({ min: 1, max: 300 }),
    what: fc.constantFrom("add", "add", "remove", "advance"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2000, size: "max" }), fc.boolean(), (steps, ascending) => {
      const table = new EntryTable();
      const model = new Map<number, number>();
      let next = 0;
      for (const [i, { seq: any, what }] of steps.entries()) {
        const seq = ascending && what === "add" ? ++next : ascending ? Math.max(1, next - (any % 20)) : any;
        const at = table.find(seq);
        expect(at >= 0).toBe(model.has(seq));
        if (what === "add" && at < 0) {
          table.insert(seq, i, 1, 0, HAS_IDENTIFIERS, [seq]);
          model.set(seq, i);
        } else if (what === "remove" && at >= 0) {
          table.remove(at);
          model.delete(seq);
        } else if (what === "advance" && at >= 0) table.advance(at, seq % 65_536, 2);
        expect(table.size).toBe(model.size);
      }
      const found: [number, number][] = [];
      for (let at = table.first(-1); at >= 0; at = table.next(at)) {
        found.push([table.seq(at), table.message(at)]);
        expect(table.identifiers(at)).toEqual([table.seq(at)]);
      }
      expect(found).toEqual([...model].sort(([a], [b]) => a - b));
    }),
    { numRuns: 60 },
  );
});

test("what the writer wrote the reader reads", () => {
  const value = fc.oneof(fc.maxSafeNat(), fc.string({ unit: "grapheme", maxLength: 60 }), fc.uint8Array(), fc.double());
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const writer = new RecordWriter();
      for (const each of values) {
        if (typeof each === "string") writer.string(each);
        else if (typeof each !== "number") writer.bytes(each);
        else if (Number.isSafeInteger(each) && each >= 0 && !Object.is(each, -0)) writer.varint(each);
        else writer.f64(each);
      }
      const reader = new RecordReader(writer.view());
      for (const each of values) {
        if (typeof each === "string") expect(reader.string()).toBe(each);
        else if (typeof each !== "number") expect(reader.bytes()).toEqual(each);
        else if (Number.isSafeInteger(each) && each >= 0 && !Object.is(each, -0)) expect(reader.varint()).toBe(each);
        else expect(reader.f64()).toBe(each);
      }
      expect(reader.more).toBe(false);
    }),
  );
});

test("random bytes are read or called damaged, nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        new Ledger().read(1, Buffer.from(bytes), 0);
      } catch (error) {
        expect(error).toBeInstanceOf(DamagedError);
      }
    }),
    { numRuns: 2000 },
  );
});

test("numbers take the bytes of LEB128, up to eight", () => {
  const around = [7, 14, 21, 28, 31, 32, 35, 42, 49].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]);
  for (const number of [0, 1, ...around, Number.MAX_SAFE_INTEGER]) {
    const bytes: number[] = [];
    let rest = BigInt(number);
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    const writer = new RecordWriter();
    writer.varint(number);
    expect([...writer.view()], `${number}`).toEqual(bytes);
    expect(new RecordReader(Buffer.from(bytes)).varint()).toBe(number);
  }
  for (const none of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => new RecordWriter().varint(none)).toThrow(RangeError);
  }
  expect(() => new RecordReader(Buffer.from("8080808080808080" + "01", "hex")).varint()).toThrow(DamagedError);
  expect(() => new RecordReader(Buffer.from("808080", "hex")).varint()).toThrow(DamagedError);
});

test("facts under the number of a session that was dropped are noticed, not added to what is gone", () => {
  const ledger = new Ledger();
  ledger.session(1, sampleSession("c"), 10);
  ledger.dropSession(1);
  ledger.hold(1, 5);
  expect([...ledger.dangling()]).toEqual([{ handle: 1, clientId: undefined, seqs: [] }]);
});
