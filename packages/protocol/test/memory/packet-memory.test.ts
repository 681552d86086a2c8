import { expect, test } from "vitest";
import { SpareMemory } from "../../src/memory/packet-memory.ts";

test("a piece that was given back is the next one of its size, and of no other", () => {
  const memory = new SpareMemory();
  const piece = memory.take(65_549);
  expect(piece.length).toBe(131_072);
  memory.give(piece);
  expect(memory.kept).toBe(131_072);
  expect(memory.take(65_536)).not.toBe(piece);
  expect(memory.take(131_073)).not.toBe(piece);
  expect(memory.take(65_537)).toBe(piece);
  expect(memory.kept).toBe(0);
  expect(memory.take(65_537)).not.toBe(piece);
});

test("small and huge pieces are made for their size and not kept", () => {
  const memory = new SpareMemory();
  for (const size of [0, 1, 4096, 1_048_577, 3_000_000]) {
    const piece = memory.take(size);
    expect(piece.length).toBe(size);
    memory.give(piece);
  }
  for (const size of [4097, 8192, 1_000_000, 1_048_576]) memory.give(memory.take(size));
  expect(memory.kept).toBe(8192 + 1_048_576);
});

test("what a burst has needed is kept up to 8 MiB", () => {
  const memory = new SpareMemory();
  const pieces = Array.from({ length: 1000 }, () => memory.take(65_536));
  for (const piece of pieces) memory.give(piece);
  expect(memory.kept).toBe(8 * 1024 * 1024);
});
