// Frames of a client, byte for byte and cut at every place.
import { describe, expect, test } from "vitest";
import { WsFrameReader } from "../../src/websocket/frame-reader.ts";
import { pattern } from "../support.ts";
import { frame, MASK } from "./frames.ts";

interface Seen {
  readonly payload: number[];
  readonly events: string[];
}

/** What the reader makes of these chunks. */
function read(chunks: readonly (readonly number[])[], maxMessage = Number.POSITIVE_INFINITY): Seen {
  const seen: Seen = { payload: [], events: [] };
  const reader = new WsFrameReader(
    {
      payload(bytes, start, end) {
        for (const byte of bytes.subarray(start, end)) seen.payload.push(byte);
        return true;
      },
      ping: (payload) => void seen.events.push(`ping ${Buffer.from(payload).toString("hex")}`),
      close: (code) => void seen.events.push(`close ${code}`),
      violation: (code) => void seen.events.push(`violation ${code}`),
    },
    maxMessage,
  );
  for (const chunk of chunks) {
    // In the middle of something else, as it comes from a socket.
    const bytes = Uint8Array.from([0xee, ...chunk, 0xee]);
    expect(reader.read(bytes, 1, bytes.length - 1)).toBe(bytes.length - 1);
    expect([bytes[0], bytes.at(-1)]).toEqual([0xee, 0xee]);
  }
  return seen;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const NONE = new Uint8Array(0);

describe("MQTT 5.0: [MQTT-6.0.0-2] whatever the frames, the bytes in them are the same", () => {
  const bytes = pattern(70_000);
  const cases: Record<string, { readonly frames: number[]; readonly payload: Uint8Array; readonly events?: string[] }> =
    {
      "one frame": { frames: frame(2, text("hello")), payload: text("hello") },
      "frames of every form of length": {
        frames: [125, 126, 65_535, 65_536].flatMap((size) => frame(2, bytes.subarray(0, size))),
        payload: Buffer.concat([125, 126, 65_535, 65_536].map((size) => bytes.subarray(0, size))),
      },
      "lengths in longer forms than they need": {
        frames: [...frame(2, text("a"), { form: 126 }), ...frame(2, text("b"), { form: 127 })],
        payload: text("ab"),
      },
      "empty frames": { frames: [...frame(2, NONE), ...frame(2, text("a")), ...frame(2, NONE)], payload: text("a") },
      "a message in pieces, with control frames between them": {
        frames: [
          ...frame(2, text("ab"), { fin: false }),
          ...frame(9, text("?")),
          ...frame(0, text("cd"), { fin: false }),
          ...frame(10, text("pong")),
          ...frame(0, NONE, { fin: false }),
          ...frame(9, NONE),
          ...frame(0, text("ef")),
          ...frame(2, text("g")),
        ],
        payload: text("abcdefg"),
        events: ["ping 3f", "ping "],
      },
      "a close, and nothing behind it": {
        frames: [...frame(2, text("a")), ...frame(8, Uint8Array.of(0x03, 0xe8, 0x62)), ...frame(2, text("b"))],
        payload: text("a"),
        events: ["close 1000"],
      },
      "a close without a code": { frames: frame(8, NONE), payload: NONE, events: ["close undefined"] },
      "a close with a code of one's own": {
        frames: frame(8, Uint8Array.of(0x0f, 0xa0)),
        payload: NONE,
        events: ["close 4000"],
      },
    };

  test.each(Object.entries(cases))("%s", (_name, { frames, payload, events = [] }) => {
    const whole = read([frames]);
    expect(Buffer.from(whole.payload).equals(payload)).toBe(true);
    expect(whole.events).toEqual(events);
    const sizes = frames.length > 1000 ? [4096, 65_537] : [1, 2, 3, 4, 5, 7, 13, 14, 15];
    for (const size of sizes) {
      const chunks: number[][] = [];
      for (let at = 0; at < frames.length; at += size) chunks.push(frames.slice(at, at + size));
      expect(read(chunks)).toEqual(whole);
    }
    if (frames.length > 1000) return;
    for (let cut = 0; cut <= frames.length; cut++)
      expect(read([frames.slice(0, cut), frames.slice(cut)])).toEqual(whole);
  });
});

describe("MQTT 5.0: what a client may not send ends the connection", () => {
  const cases: Record<string, [frames: number[], code: number, payload?: string]> = {
    "[MQTT-6.0.0-1] text": [[...frame(2, text("a")), ...frame(1, text("b"))], 1003, "a"],
    "an unmasked frame": [frame(2, text("a"), { masked: false }), 1002],
    "an unmasked close": [frame(8, NONE, { masked: false }), 1002],
    "reserved bit 1, of an extension": [frame(2, text("a"), { rsv: 4 }), 1002],
    "reserved bit 2": [frame(2, text("a"), { rsv: 2 }), 1002],
    "reserved bit 3 of a ping": [frame(9, NONE, { rsv: 1 }), 1002],
    "a continuation of nothing": [frame(0, text("a")), 1002],
    "a continuation behind a whole message": [[...frame(2, text("a")), ...frame(0, text("b"))], 1002, "a"],
    "a message inside another one": [[...frame(2, text("a"), { fin: false }), ...frame(2, text("b"))], 1002, "a"],
    ...Object.fromEntries(
      [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [`opcode ${opcode}`, [frame(opcode, NONE), 1002]]),
    ),
    "a ping in pieces": [frame(9, NONE, { fin: false }), 1002],
    "a ping of 126 bytes": [frame(9, new Uint8Array(126)), 1002],
    "a close of 126 bytes": [frame(8, new Uint8Array(126)), 1002],
    "a close of one byte": [frame(8, Uint8Array.of(3)), 1002],
    ...Object.fromEntries(
      [0, 999, 1004, 1005, 1006, 1015, 2999, 5000].map((code) => [
        `a close with code ${code}`,
        [frame(8, Uint8Array.of(code >> 8, code & 0xff)), 1002],
      ]),
    ),
  };
  test.each(Object.entries(cases))("%s", (_name, [frames, code, payload = ""]) => {
    const expected = { payload: [...text(payload)], events: [`violation ${code}`] };
    // Nothing behind it is looked at.
    const more = [...frames, ...frame(2, text("more")), ...frame(8, NONE)];
    expect(read([more])).toEqual(expected);
    expect(read(more.map((byte) => [byte]))).toEqual(expected);
  });
});

describe("the length of a message", () => {
  test("as long as allowed, in one frame or in several", () => {
    expect(read([frame(2, text("12345"))], 5).events).toEqual([]);
    const pieces = [frame(2, text("123"), { fin: false }), frame(0, text("45")), frame(2, text("12345"))];
    expect(read(pieces, 5)).toEqual({ payload: [...text("1234512345")], events: [] });
  });

  test("one byte more is refused by its header alone", () => {
    expect(read([frame(2, text("123456")).slice(0, 6)], 5)).toEqual({ payload: [], events: ["violation 1009"] });
    const pieces = [frame(2, text("123"), { fin: false }), frame(0, text("456")).slice(0, 6)];
    expect(read(pieces, 5)).toEqual({ payload: [...text("123")], events: ["violation 1009"] });
    const huge = [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...MASK];
    expect(read([huge], 1_000_000).events).toEqual(["violation 1009"]);
  });
});

test("the payload of all frames of a read comes in one piece, what is before a control frame before it", () => {
  const got: string[] = [];
  const reader = new WsFrameReader(
    {
      payload: (bytes, start, end) => got.push(Buffer.from(bytes.subarray(start, end)).toString()) > 0,
      ping: (payload) => void got.push(`ping ${Buffer.from(payload).toString()}`),
      close: () => {},
      violation: () => {},
    },
    100,
  );
  const frames = [
    frame(2, text("one")),
    frame(2, text("two"), { fin: false }),
    frame(9, text("?")),
    frame(0, text("3")),
  ];
  const bytes = Uint8Array.from([...frames, frame(2, text("four")).slice(0, -2)].flat());
  reader.read(bytes, 0, bytes.length);
  expect(got).toEqual(["onetwo", "ping ?", "3fo"]);
});

test("a handler that wants no more stops the reader behind the control frame that ended the piece", () => {
  let wanted = 0;
  const got: number[] = [];
  const reader = new WsFrameReader(
    {
      payload(bytes, start, end) {
        got.push(...bytes.subarray(start, end));
        return --wanted > 0;
      },
      ping: () => {},
      close: () => {},
      violation: () => {},
    },
    100,
  );
  const bytes = Uint8Array.from(
    ["one", "two", "three"].flatMap((word) => [...frame(2, text(word)), ...frame(10, NONE)]),
  );
  let at = 0;
  for (const word of ["one", "onetwo", "onetwothree"]) {
    wanted = 1;
    at = reader.read(bytes, at, bytes.length);
    expect(Buffer.from(got).toString()).toBe(word);
  }
  expect(at).toBe(bytes.length);
});
