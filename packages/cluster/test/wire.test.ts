// Frames: what is written is read again, however it is cut; what nobody has written is refused and does no harm.
import { encodeUtf8, MqttError, type PublishProperties, type QoS } from "@wrenmq/codec";
import { Arena, Message, NEVER, Outbox, TopicTable } from "@wrenmq/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClusterError } from "../src/index.ts";
import { ForwardReader, writeForward } from "../src/wire/forward-frame.ts";
import { FRAME_HEAD, FrameType, MAX_BODY } from "../src/wire/frame-type.ts";
import { MeshFrameReader } from "../src/wire/mesh-frame-reader.ts";

const arena = new Arena(new Uint8Array(8 * 1024 * 1024));

function newOutbox(): Outbox {
  return new Outbox(arena, { outputReady() {}, outputLarge() {} });
}

/** All that was written; the outbox is empty then. */
function taken(outbox: Outbox): Uint8Array {
  const bytes = new Uint8Array(outbox.take());
  outbox.taken(true);
  return bytes;
}

const topicName = fc.string({ minLength: 1, maxLength: 40 }).filter((name) => isGoodTopic(name));
const someText = fc.string({ maxLength: 60, unit: "grapheme" });
const properties: fc.Arbitrary<PublishProperties | undefined> = fc.option(
  fc.record({ contentType: someText, payloadFormatIndicator: fc.constantFrom(0 as const, 1 as const) }),
  { nil: undefined },
);
const forwarded = fc.record({
  topic: topicName,
  payload: fc.uint8Array({ maxLength: 2000 }),
  qos: fc.constantFrom<QoS>(0, 1, 2),
  retain: fc.boolean(),
  properties,
  expiresAt: fc.option(fc.integer({ min: 1, max: 4e12 }), { nil: NEVER }),
  publisher: someText,
  plain: fc.boolean(),
  groups: fc.option(fc.array(someText, { minLength: 1, maxLength: 3 }), { nil: undefined }),
  retainedAt: fc.constantFrom(0, 1, 7_000_000_000_123_456),
  sequence: fc.constantFrom(-1, 0, 0xffff_ffff),
  number: fc.constantFrom(0, 1, 2 ** 52),
  isOld: fc.boolean(),
  homes: fc.option(fc.array(fc.record({ home: fc.nat({ max: 63 }), count: fc.nat({ max: 64 }) }), { maxLength: 3 }), {
    nil: undefined,
  }),
});
const ORIGINS = [
  { store: "a", run: 1 },
  { store: "温", run: 2 ** 48 - 1 },
];
type Forwarded = typeof forwarded extends fc.Arbitrary<infer T> ? T : never;

function isGoodTopic(name: string): boolean {
  return !/[+#\0]/.test(name) && new TopicTable().find(name) !== undefined;
}

function readerOf(topics: TopicTable): ForwardReader {
  const reader = new ForwardReader(topics);
  reader.origins = ORIGINS;
  return reader;
}

function write(outbox: Outbox, topics: TopicTable, given: Forwarded): void {
  const target = topics.find(given.topic);
  if (target === undefined) throw new Error("no topic");
  writeForward(outbox, Message.of(target, given), given, given.sequence, given.number, given.number % ORIGINS.length);
}

function expectSame(read: ForwardReader, given: Forwarded): void {
  const { message } = read;
  const { plain, groups, retainedAt, sequence, number, homes, isOld, ...content } = given;
  const origin = number > 0 ? ORIGINS[number % ORIGINS.length] : undefined;
  expect([read.number, read.origin, read.homes, read.isOld]).toEqual([number, origin, homes, isOld]);
  expect({ plain: read.plain, groups: read.groups, retainedAt: read.retainedAt, sequence: read.sequence }).toEqual({
    plain,
    groups,
    retainedAt,
    sequence,
  });
  const { topic, qos, retain, expiresAt, publisher } = message;
  const payload = new Uint8Array(message.payload);
  expect({ topic, payload, qos, retain, properties: message.properties, expiresAt, publisher }).toEqual(content);
}

describe("frames", () => {
  test("messages come out as they went in, wherever the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(forwarded, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 300 }),
        (all, step) => {
          const topics = new TopicTable();
          const outbox = newOutbox();
          for (const given of all) write(outbox, topics, given);
          const stream = taken(outbox);
          const frames = new MeshFrameReader();
          const reader = readerOf(topics);
          let count = 0;
          for (let start = 0; start < stream.length; start += step) {
            frames.push(stream, start, Math.min(stream.length, start + step));
            while (frames.next()) {
              expect(frames.type).toBe(FrameType.Forward);
              reader.read(frames.bytes, frames.start, frames.end);
              expectSame(reader, all[count++] as Forwarded);
            }
          }
          expect(count).toBe(all.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("the PUBLISH in a frame can be passed on as it is", () => {
    fc.assert(
      fc.property(forwarded, (given) => {
        const topics = new TopicTable();
        const outbox = newOutbox();
        write(outbox, topics, given);
        const stream = taken(outbox);
        const reader = readerOf(topics);
        reader.read(stream, FRAME_HEAD, stream.length);
        const first = reader.message;
        writeForward(outbox, first, reader, reader.sequence, reader.number, reader.number % ORIGINS.length);
        const again = taken(outbox);
        expect(again).toEqual(stream);
      }),
      { numRuns: 200 },
    );
  });

  test("random bytes are refused with an error of ours", () => {
    const reader = new ForwardReader(new TopicTable());
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          reader.read(bytes, 0, bytes.length);
        } catch (error) {
          expect(error instanceof ClusterError || error instanceof MqttError).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("a frame with one byte changed is read as something else, or refused with an error of ours", () => {
    fc.assert(
      fc.property(forwarded, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, where, change) => {
        const topics = new TopicTable();
        const outbox = newOutbox();
        write(outbox, topics, given);
        const stream = taken(outbox);
        const at = FRAME_HEAD + (where % (stream.length - FRAME_HEAD));
        stream[at] = (stream[at] as number) ^ change;
        try {
          readerOf(topics).read(stream, FRAME_HEAD, stream.length);
        } catch (error) {
          expect(error instanceof ClusterError || error instanceof MqttError).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a length that cannot be is refused before anything is allocated for it", () => {
    const frames = new MeshFrameReader();
    const bytes = new Uint8Array(FRAME_HEAD);
    new DataView(bytes.buffer).setUint32(0, MAX_BODY + 1);
    frames.push(bytes, 0, bytes.length);
    expect(() => frames.next()).toThrow(ClusterError);
  });

  test("texts beyond ASCII are measured in bytes", () => {
    const topics = new TopicTable();
    const outbox = newOutbox();
    const given: Forwarded = {
      topic: "straße/温度",
      payload: new Uint8Array(encodeUtf8("π")),
      qos: 1,
      retain: false,
      properties: undefined,
      expiresAt: NEVER,
      publisher: "ключ",
      plain: true,
      groups: ["$share/grüppe/straße/+"],
      retainedAt: 0,
      sequence: 0,
      number: 7,
      isOld: false,
      homes: undefined,
    };
    write(outbox, topics, given);
    const stream = taken(outbox);
    const reader = readerOf(topics);
    reader.read(stream, FRAME_HEAD, stream.length);
    expectSame(reader, given);
  });
});
