import {
  decodeUtf8,
  encodeUtf8,
  isWellFormedUtf8,
  MqttError,
  utf8Length,
  variableByteIntegerLength,
} from "@wrenmq/codec";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { fromHex, toHex } from "./vectors/vector.ts";

const illFormed = [
  "80",
  "bf",
  "c0 80",
  "c1 bf",
  "c2",
  "c2 41",
  "e0 80 80",
  "e0 9f bf",
  "e2 82",
  "e2 28 a1",
  "e2 82 28",
  "ed a0 80",
  "ed bf bf",
  "ed a0 80 ed b0 80",
  "f0 80 80 80",
  "f0 8f bf bf",
  "f0 9f 98",
  "f0 9f 98 28",
  "f4 90 80 80",
  "f5 80 80 80",
  "ff",
];

/** The same text alone and with ASCII of several lengths around it, for the paths by length. */
function padded(hex: string): string[] {
  return [0, 1, 8, 9, 40].map((count) => "61".repeat(count) + hex + "62".repeat(count));
}

function decodeAll(bytes: Uint8Array): string {
  return decodeUtf8(bytes, 0, bytes.length);
}

function refusals(): void {
  for (const hex of illFormed.flatMap(padded)) {
    expect(isWellFormedUtf8(fromHex(hex))).toBe(false);
    expect(() => decodeAll(fromHex(hex))).toThrow(expect.objectContaining({ reasonCode: 0x81 }));
  }
}

function nul(): void {
  for (const hex of [...padded("00"), ...padded("c3a400")]) {
    expect(() => decodeAll(fromHex(hex))).toThrow(MqttError);
  }
}

function byteOrderMark(): void {
  for (const hex of padded("efbbbf61efbbbf")) {
    const text = decodeAll(fromHex(hex));
    expect(text).toContain("\ufeffa\ufeff");
    expect(toHex(encodeUtf8(text))).toBe(hex);
  }
}

describe("MQTT 3.1.1", () => {
  test("[MQTT-1.5.3-1] ill-formed text is refused", refusals);
  test("[MQTT-1.5.3-2] U+0000 is refused", nul);
  test("[MQTT-1.5.3-3] the bytes EF BB BF are kept", byteOrderMark);
});

describe("MQTT 5.0", () => {
  test("[MQTT-1.5.4-1] ill-formed text is refused", refusals);
  test("[MQTT-1.5.4-2] U+0000 is refused", nul);
  test("[MQTT-1.5.4-3] the bytes EF BB BF are kept", byteOrderMark);
});

test("every boundary of the code space", () => {
  for (const point of [0x01, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x1_0000, 0x10_ffff]) {
    const text = String.fromCodePoint(point);
    const bytes = encodeUtf8(text);
    expect(toHex(bytes)).toBe(toHex(Uint8Array.from(unescape(encodeURIComponent(text)), (unit) => unit.charCodeAt(0))));
    expect(decodeAll(bytes)).toBe(text);
  }
});

test("any text comes back, and its length is counted right", () => {
  const text = fc.string({ unit: "binary", maxLength: 100 }).map((value) => value.replaceAll("\0", ""));
  fc.assert(
    fc.property(text, (value) => {
      const bytes = encodeUtf8(value);
      expect(utf8Length(value)).toBe(bytes.length);
      expect(decodeAll(bytes)).toBe(value);
    }),
  );
});

test("a part of the bytes is decoded without its surroundings", () => {
  expect(decodeUtf8(fromHex("ff 61 c3a4 ff"), 1, 4)).toBe("a\u00e4");
});

test("lengths of Variable Byte Integers", () => {
  expect([0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455].map(variableByteIntegerLength)).toEqual([
    1, 1, 2, 2, 3, 3, 4, 4,
  ]);
});

test("without Node's Buffer the results are the same", async () => {
  vi.resetModules();
  vi.stubGlobal("Buffer", undefined);
  try {
    const elsewhere = await import("@wrenmq/codec");
    for (const text of ["short", "\ufeffa text of more than a few characters", "\u20ac\u{1f600}"]) {
      const bytes = encodeUtf8(`<${text}>`);
      expect(elsewhere.decodeUtf8(bytes, 1, bytes.length - 1)).toBe(text);
    }
    expect(() => elsewhere.decodeUtf8(fromHex("c3"), 0, 1)).toThrow(elsewhere.MqttError);
  } finally {
    vi.unstubAllGlobals();
  }
});
