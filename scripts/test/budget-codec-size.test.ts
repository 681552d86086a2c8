// Browsers load the codec: how many bytes are that, minified and compressed?
import { expect, test } from "vitest";
import { sizeOf } from "../../tools/bench/budget/bundle.mjs";

test("all of the codec is at most 12 KB", async () => {
  const { compressed } = await sizeOf('export * from "@wrenmq/codec";');
  expect(compressed).toBeLessThanOrEqual(12_000);
});

test("whoever only decodes, or only encodes, loads at most 65 % of it", async () => {
  const all = await sizeOf('export * from "@wrenmq/codec";');
  for (const name of ["decode", "encode"]) {
    const part = await sizeOf(`export { ${name} } from "@wrenmq/codec";`);
    expect(part.compressed, name).toBeLessThanOrEqual(0.65 * all.compressed);
  }
});

test("whoever wants only the names of packet types loads none of the rest", async () => {
  const { minified } = await sizeOf('export { PacketType } from "@wrenmq/codec";');
  expect(minified).toBeLessThanOrEqual(500);
});
