import { describe, expect, test } from "vitest";
import { closeFrame, framesWritten, pongFrame, WsFrameWriter } from "../../src/websocket/frame-writer.ts";
import { pattern } from "../support.ts";

/** A packet of a type with a body of this length. */
function packet(length: number, first = 0x30): Buffer {
  const head = [first];
  let rest = length;
  do {
    head.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), pattern(length, length + 1)]);
}

/** The payloads of frames that lie one behind the other; each is final, binary and not masked. */
function payloads(frames: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < frames.length; ) {
    expect(frames[at]).toBe(0x82);
    const short = frames[at + 1] as number;
    const length =
      short < 126 ? short : short === 126 ? frames.readUInt16BE(at + 2) : Number(frames.readBigUInt64BE(at + 2));
    // The shortest form.
    expect(length >= (short < 126 ? 0 : short === 126 ? 126 : 65_536)).toBe(true);
    at += short < 126 ? 2 : short === 126 ? 4 : 10;
    found.push(frames.subarray(at, at + length));
    at += length;
  }
  return found;
}

const SIZES = [
  0, 0, 2, 5, 123, 124, 125, 127, 128, 1000, 16_380, 16_384, 65_531, 65_533, 65_536, 70_000, 2, 0, 2_097_152, 3,
];

describe.each([true, false])("one packet in each frame (quick: %s)", (isQuick) => {
  const packets = SIZES.map((size) => packet(size));
  const bytes = Buffer.concat(packets);

  test("for packets of every size, all written at once", () => {
    const frames = payloads(Buffer.concat(new WsFrameWriter().frames(bytes, isQuick)));
    expect(frames.map(({ length }) => length)).toEqual(packets.map(({ length }) => length));
    expect(Buffer.concat(frames).equals(bytes)).toBe(true);
  });

  test("many small ones leave in one piece", () => {
    const many = Buffer.concat(Array.from({ length: 300 }, (_, index) => packet(index % 200)));
    const pieces = new WsFrameWriter().frames(many, isQuick);
    expect(pieces.length).toBe(1);
    expect(payloads(Buffer.concat(pieces)).length).toBe(300);
  });

  test("large ones are not copied", () => {
    const pieces = new WsFrameWriter().frames(
      Buffer.concat([packet(2), packet(100_000), packet(2), packet(2)]),
      isQuick,
    );
    expect(pieces.map(({ length }) => length)).toEqual([6, 10, 100_004, 12]);
  });

  test("a packet that is written in parts goes on in the next frame, wherever it was cut", () => {
    const small = Buffer.concat(SIZES.filter((size) => size < 200).map((size) => packet(size)));
    for (let cut = 1; cut < small.length; cut++) {
      const writer = new WsFrameWriter();
      const first = payloads(Buffer.concat(writer.frames(small.subarray(0, cut), isQuick)));
      const second = payloads(Buffer.concat(writer.frames(small.subarray(cut), isQuick)));
      expect(Buffer.concat([...first, ...second]).equals(small)).toBe(true);
      // Every packet but the one that was cut has a frame of its own.
      const whole = [...first, ...second].map(({ length }) => length);
      const expected = SIZES.filter((size) => size < 200).map((size) => packet(size).length);
      const joined =
        first.length + second.length === expected.length
          ? whole
          : whole.toSpliced(first.length - 1, 2, (first.at(-1)?.length ?? 0) + (second[0]?.length ?? 0));
      expect(joined).toEqual(expected);
    }
  });

  test("what is no MQTT comes through as it is", () => {
    const noise = Buffer.concat([Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2]), pattern(5000, 9)]);
    const writer = new WsFrameWriter();
    const seen: Buffer[] = [];
    for (let at = 0; at < noise.length; at += 77) {
      seen.push(...payloads(Buffer.concat(writer.frames(noise.subarray(at, at + 77), isQuick))));
    }
    expect(Buffer.concat(seen).equals(noise)).toBe(true);
  });
});

test("frames that have not been written keep their memory", () => {
  const writer = new WsFrameWriter();
  const first = writer.frames(packet(100), true)[0] as Uint8Array;
  const kept = writer.frames(packet(101), true)[0] as Uint8Array;
  expect(kept.buffer).not.toBe(first.buffer);
  framesWritten();
  const next = writer.frames(packet(102), true)[0] as Uint8Array;
  expect(next.buffer).toBe(kept.buffer);
  // A second run of small packets in the same call has memory of its own.
  const pieces = writer.frames(Buffer.concat([packet(5), packet(20_000), packet(6)]), true);
  expect(payloads(Buffer.concat(pieces)).map(({ length }) => length)).toEqual([7, 20_004, 8]);
});

test("control frames", () => {
  expect([...closeFrame(undefined)]).toEqual([0x88, 0]);
  expect([...closeFrame(1009)]).toEqual([0x88, 2, 0x03, 0xf1]);
  expect([...pongFrame(Uint8Array.of(1, 2))]).toEqual([0x8a, 2, 1, 2]);
});
