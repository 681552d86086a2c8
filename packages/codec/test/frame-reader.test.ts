import { FrameReader, MqttError } from "@wrenmq/codec";
import { describe, expect, test } from "vitest";
import { fromHex, toHex } from "./vectors/vector.ts";

/** Each frame as "header:body", in hex; a frame is looked at before the next is asked for. */
function drain(reader: FrameReader): string[] {
  const frames: string[] = [];
  while (reader.next()) {
    const { bytes, frameStart, bodyStart, bodyEnd, header } = reader;
    expect(bytes[frameStart]).toBe(header);
    frames.push(`${header.toString(16)}:${toHex(bytes.subarray(bodyStart, bodyEnd))}`);
  }
  return frames;
}

function feed(reader: FrameReader, bytes: Uint8Array): string[] {
  reader.push(bytes, 0, bytes.length);
  const frames = drain(reader);
  // The view is no longer valid: what the reader keeps has to be a copy.
  bytes.fill(0xee);
  return frames;
}

const body = "ab".repeat(130);
const stream = `c000 308201${body} 40020001 3003000161 d000`;
const expected = ["c0:", `30:${body}`, "40:0001", "30:000161", "d0:"];

test("every split into two, and every size of chunks", () => {
  const all = fromHex(stream);
  for (let cut = 0; cut <= all.length; cut++) {
    const reader = new FrameReader();
    expect([...feed(reader, all.slice(0, cut)), ...feed(reader, all.slice(cut))]).toEqual(expected);
    expect(reader.pending).toBe(0);
  }
  for (let size = 1; size < 20; size++) {
    const reader = new FrameReader();
    const frames: string[] = [];
    for (let at = 0; at < all.length; at += size) frames.push(...feed(reader, all.slice(at, at + size)));
    expect(frames).toEqual(expected);
  }
});

test("a whole packet is described in place, between start and end only", () => {
  const reader = new FrameReader();
  const bytes = fromHex("ffff c000 d000 ffff");
  reader.push(bytes, 2, 6);
  expect(reader.next()).toBe(true);
  expect(reader.bytes).toBe(bytes);
  expect([reader.frameStart, reader.bodyStart, reader.bodyEnd]).toEqual([2, 4, 4]);
  expect(drain(reader)).toEqual(["d0:"]);
});

test("a packet larger than the first allocation, in small parts", () => {
  const reader = new FrameReader();
  const all = new Uint8Array(4 + 100_000).fill(1);
  all.set(fromHex("30 a08d06"));
  const frames: string[] = [];
  for (let at = 0; at < all.length; at += 1000) frames.push(...feed(reader, all.slice(at, at + 1000)));
  expect(frames).toEqual([`30:${"01".repeat(100_000)}`]);
  expect(reader.pending).toBe(0);
});

test("borrowed memory: all of it is given back once, and nothing that was given back is looked at", () => {
  const out = new Set<Uint8Array>();
  const memory = {
    take(size: number): Uint8Array {
      const bytes = new Uint8Array(size).fill(0xdd);
      out.add(bytes);
      return bytes;
    },
    give(bytes: Uint8Array): void {
      expect(out.delete(bytes)).toBe(true);
      bytes.fill(0xcc);
    },
  };
  const large = new Uint8Array(4 + 100_000).fill(1);
  large.set(fromHex("30 a08d06"));
  const all = new Uint8Array([...fromHex(stream), ...large, ...fromHex(stream)]);
  const whole = [...expected, `30:${"01".repeat(100_000)}`, ...expected];
  for (const size of [7, 150, 1000, 4096, 70_000]) {
    const reader = new FrameReader(undefined, memory);
    const frames: string[] = [];
    for (let at = 0; at < all.length; at += size) frames.push(...feed(reader, all.slice(at, at + size)));
    expect(frames).toEqual(whole);
    expect(out.size).toBe(0);
  }
});

test("a declared length allocates nothing", () => {
  const reader = new FrameReader();
  expect(feed(reader, fromHex("30 ffffff7f 00"))).toEqual([]);
  expect(reader.pending).toBe(6);
  expect(reader.bytes.length).toBeLessThan(10_000);
});

test("an empty chunk changes nothing", () => {
  const reader = new FrameReader();
  expect(feed(reader, fromHex("40"))).toEqual([]);
  expect(feed(reader, fromHex(""))).toEqual([]);
  expect(feed(reader, fromHex("020001"))).toEqual(["40:0001"]);
});

describe("refusals", () => {
  function reason(hex: string, maxPacketSize?: number): number | undefined {
    const reader = new FrameReader(maxPacketSize);
    try {
      feed(reader, fromHex(hex));
    } catch (error) {
      return error instanceof MqttError ? error.reasonCode : -1;
    }
    return undefined;
  }

  test("a Remaining Length that is too long or not shortest is malformed", () => {
    expect(reason("30 ffffffff")).toBe(0x81);
    expect(reason("30 8000")).toBe(0x81);
    expect(reason("30 80808000")).toBe(0x81);
    expect(reason("30 808080")).toBeUndefined();
  });

  test("a packet over the maximum is refused when its length is known, the maximum itself is not", () => {
    expect(reason("30 08", 10)).toBeUndefined();
    expect(reason("30 09", 10)).toBe(0x95);
    expect(reason("30 ffffff7f")).toBeUndefined();
  });
});

test("stopped after any packet of any view, and gone on with later", () => {
  const all = fromHex(stream);
  for (let cut = 0; cut <= all.length; cut++) {
    for (let stopAfter = 0; stopAfter <= expected.length; stopAfter++) {
      const reader = new FrameReader();
      const frames: string[] = [];
      for (const piece of [all.slice(0, cut), all.slice(cut)]) {
        reader.push(piece, 0, piece.length);
        while (frames.length < stopAfter && reader.next()) {
          frames.push(
            `${reader.header.toString(16)}:${toHex(reader.bytes.subarray(reader.bodyStart, reader.bodyEnd))}`,
          );
        }
        reader.suspend();
        piece.fill(0xee);
      }
      frames.push(...drain(reader));
      expect(frames).toEqual(expected);
      expect(reader.pending).toBe(0);
    }
  }
});

test("memory for packets in parts is given back when their views have ended, and serves again", () => {
  const given: Uint8Array[] = [];
  const taken: number[] = [];
  const memory = {
    take(size: number): Uint8Array {
      taken.push(size);
      return given.pop() ?? new Uint8Array(size + 100).fill(0xee);
    },
    give(bytes: Uint8Array): void {
      given.push(bytes.fill(0xee));
    },
  };
  const all = fromHex(stream.repeat(3));
  for (let size = 1; size < all.length; size += 7) {
    const reader = new FrameReader(undefined, memory);
    const frames: string[] = [];
    for (let at = 0; at < all.length; at += size) frames.push(...feed(reader, all.slice(at, at + size)));
    expect(frames).toEqual([...expected, ...expected, ...expected]);
  }
  expect(new Set(given).size).toBe(given.length);
  expect(taken.length).toBeGreaterThan(given.length);
});
