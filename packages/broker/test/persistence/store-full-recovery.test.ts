import type { StoreOp } from "@wrenmq/store";
import { sampleEntry, sampleMessage, sampleSession, sampleSubscription } from "@wrenmq/store/testing";
import { describe, expect, test } from "vitest";
import { splitSpaceFreeing } from "../../src/persistence/store-full-recovery.ts";

const enqueue = (clientId: string, seq: number): StoreOp => ({
  op: "enqueue",
  clientId,
  entry: { ...sampleEntry(seq), seq },
  message: sampleMessage(),
});
const settle = (clientId: string, seq: number): StoreOp => ({ op: "settle", clientId, seq });
const end = (clientId: string): StoreOp => ({ op: "deleteSession", clientId });
const begin = (clientId: string): StoreOp => ({ op: "putSession", record: { ...sampleSession(clientId), clientId } });
const absentClient = { has: () => false };

describe("what makes room in a full store", () => {
  test("acknowledgements of what the store has pass by what it has refused", () => {
    const ops = [enqueue("a", 7), settle("a", 3), settle("b", 7), settle("a", 7)];
    expect(splitSpaceFreeing(ops, absentClient)).toEqual({ relief: [ops[1], ops[2]], rest: [ops[0], ops[3]] });
  });

  test("the end of a session does not pass by its messages, nor its new beginning by its end", () => {
    const ops = [enqueue("a", 1), end("a"), begin("a"), settle("a", 1), end("b")];
    expect(splitSpaceFreeing(ops, { has: () => true })).toEqual({ relief: [ops[4]], rest: ops.slice(0, 4) });
  });

  test("a record passes only where the store has one", () => {
    const [known, unknown] = [begin("a"), begin("b")];
    expect(splitSpaceFreeing([known, unknown], { has: (op) => op === known })).toEqual({
      relief: [known],
      rest: [unknown],
    });
  });

  test("what begins and ends among the refused stays in order", () => {
    const subscription = sampleSubscription();
    const ops: StoreOp[] = [
      { op: "putSubscription", clientId: "a", filter: "f", subscription },
      { op: "deleteSubscription", clientId: "a", filter: "f" },
      { op: "deleteSubscription", clientId: "a", filter: "g" },
      { op: "hold", clientId: "a", packetId: 1 },
      { op: "release", clientId: "a", packetId: 1 },
      { op: "release", clientId: "a", packetId: 2 },
      { op: "putRetained", message: { ...sampleMessage(), topic: "t" } },
      { op: "deleteRetained", topic: "t" },
      { op: "deleteRetained", topic: "u" },
    ];
    const relief = [ops[2], ops[5], ops[8]];
    expect(splitSpaceFreeing(ops, absentClient)).toEqual({ relief, rest: ops.filter((op) => !relief.includes(op)) });
  });
});
