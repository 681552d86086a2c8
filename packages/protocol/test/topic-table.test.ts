import { decodeUtf8, encodeUtf8, MqttError } from "@wrenmq/codec";
import { isTopicName } from "@wrenmq/topics";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Message, NEVER, Topic, type TopicLimits, TopicTable } from "../src/index.ts";
import { nameHash } from "../src/message/name-hash.ts";
import { checkTopicName } from "../src/message/valid-name.ts";

const utf8 = encodeUtf8;

/** Puts bytes into a place where others were and will be. */
class Area {
  readonly bytes: Uint8Array = new Uint8Array(4_096);

  write(content: Uint8Array, start: number): { start: number; end: number } {
    this.bytes.set(content, start);
    return { start, end: start + content.length };
  }

  overwrite(): void {
    this.bytes.fill(0x78);
  }
}

const name: fc.Arbitrary<string> = fc
  .array(fc.constantFrom("a", "b", "site", "temperature-of-device-17", "", "\u00e4\u{1f600}", "$SYS"), {
    minLength: 1,
    maxLength: 6,
  })
  .map((levels) => levels.join("/"))
  .filter((text) => text !== "");

describe("MQTT 5.0: whether bytes are a topic name", () => {
  /** The plain twin. */
  function check(bytes: Uint8Array, start: number, end: number, limits: TopicLimits): void {
    const { maxTopicLength, maxTopicLevels } = limits;
    if (end - start > maxTopicLength) throw new MqttError(0x90, `topic name of ${end - start} bytes is over the limit`);
    const text = decodeUtf8(bytes, start, end);
    const levels = text.split("/").length;
    if (levels > maxTopicLevels) throw new MqttError(0x90, `topic name of ${levels} levels is over the limit`);
    if (!isTopicName(text)) throw new MqttError(0x90, "not a valid topic name");
  }

  function outcome(run: () => void): unknown {
    try {
      run();
      return "valid";
    } catch (error) {
      if (!(error instanceof MqttError)) throw error;
      return [error.reasonCode, error.message];
    }
  }

  test("[MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-3.3.2-2] [MQTT-4.7.3-1] is what decoding and looking at the text says", () => {
    const byte = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(0x61, 0x2f, 0x24, 0x20) },
      { weight: 1, arbitrary: fc.constantFrom(0x00, 0x23, 0x2b) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
    );
    const broken = fc.array(byte, { maxLength: 24 }).map((bytes) => Uint8Array.from(bytes));
    const content = fc.oneof(broken, name.map(utf8), fc.string({ unit: "grapheme", maxLength: 12 }).map(utf8));
    const limits = fc.record({
      maxTopicLength: fc.integer({ min: 0, max: 30 }),
      maxTopicLevels: fc.integer({ min: 1, max: 8 }),
    });
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(content, limits, fc.nat(9), (bytes, given, start) => {
        const area = new Area();
        area.overwrite();
        const { end } = area.write(bytes, start);
        const actual = outcome(() => checkTopicName(area.bytes, start, end, given));
        expect(actual).toEqual(outcome(() => check(area.bytes, start, end, given)));
        seen.set(String(actual), (seen.get(String(actual)) ?? 0) + 1);
      }),
      { numRuns: 3_000 },
    );
    for (const kind of ["valid", "129,a string contains U+0000", "144,not a valid topic name"]) {
      expect(seen.get(kind) ?? 0).toBeGreaterThan(20);
    }
  });
});

describe("the hash of a name", () => {
  test("depends on its bytes and not on where they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(20), (content, start) => {
        const area = new Area();
        area.overwrite();
        const place = area.write(content, start);
        expect(nameHash(area.bytes, place.start, place.end)).toBe(nameHash(content, 0, content.length));
      }),
    );
  });

  test("hardly ever is that of another topic of the same fleet, and uses all places of a table", () => {
    const all = new Set<number>();
    const low = new Uint32Array(4_096);
    for (let device = 0; device < 100_000; device++) {
      const bytes = utf8(
        `site/${device % 100}/line/${device % 7}/device/${String(device).padStart(6, "0")}/temperature`,
      );
      const hash = nameHash(bytes, 0, bytes.length);
      all.add(hash);
      low[hash & 4_095] = (low[hash & 4_095] as number) + 1;
    }
    // By chance: 1.2 pairs that share one; 24 in each place.
    expect(all.size).toBeGreaterThan(99_990);
    expect(Math.min(...low)).toBeGreaterThan(4);
    expect(Math.max(...low)).toBeLessThan(60);
  });
});

describe("topics that are read", () => {
  test("have the name that was there, and still have it when other bytes are in its place if they are kept", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ text: name, keep: fc.boolean() }), { maxLength: 60, size: "max" }), (reads) => {
        const table = new TopicTable(undefined, 8);
        const area = new Area();
        const held: { topic: Topic; text: string }[] = [];
        for (const [index, { text, keep }] of reads.entries()) {
          const content = utf8(text);
          const { start, end } = area.write(content, index % 50);
          const topic = table.read(area.bytes, start, end);
          expect([topic.length, topic.equals(area.bytes, start, end)]).toEqual([content.length, true]);
          expect(topic.isReserved).toBe(text.startsWith("$"));
          const out = new Uint8Array(content.length + 2);
          expect([topic.write(out, 1), [...out.subarray(1, -1)]]).toEqual([content.length + 1, [...content]]);
          if (keep) topic.keep();
          if (topic.kept) held.push({ topic, text });
          area.overwrite();
        }
        for (const { topic, text } of held) expect(topic.name).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test("are the same object each time once they come again, by bytes and by text", () => {
    const table = new TopicTable();
    const bytes = utf8("a/b");
    const first = table.read(bytes, 0, 3);
    expect([first.kept, table.read(utf8("xa/b"), 1, 4), table.find("a/b")]).toEqual([true, first, first]);
    expect(table.find("a/c")?.kept).toBe(true);
    expect([table.find(""), table.find("a/+"), table.find("a\0"), table.find("a/#")]).toEqual(Array(4).fill(undefined));
  });

  test("leave nothing in the table when none comes twice, and take a bounded part of it when they are long", () => {
    const table = new TopicTable();
    for (let device = 0; device < 50_000; device++) {
      const bytes = utf8(`unique/${device}`);
      table.read(bytes, 0, bytes.length);
    }
    expect(table.size).toBeLessThanOrEqual(256);
    const long = utf8("x".repeat(60_000));
    for (let time = 0; time < 50; time++) expect(table.read(long, 0, long.length).kept).toBe(false);
  });

  test("are refused over the limits also when they are known", () => {
    const limits = { maxTopicLength: 5, maxTopicLevels: 2 };
    const table = new TopicTable(() => limits);
    for (const text of ["a/b/c", "toolong", "", "a/+", "a/#"]) {
      const bytes = utf8(text);
      expect(() => table.read(bytes, 0, bytes.length, limits)).toThrow(MqttError);
      if (isTopicName(text)) expect(table.read(bytes, 0, bytes.length).kept).toBe(true);
      expect(() => table.read(bytes, 0, bytes.length, limits)).toThrow(MqttError);
      expect(table.find(text)).toBeUndefined();
      expect(table.restore(text)?.name).toBe(isTopicName(text) ? text : undefined);
    }
    expect(table.find("a/b")?.name).toBe("a/b");
  });
});

test("a message that is kept keeps its topic too, wherever both lie", () => {
  fc.assert(
    fc.property(
      name,
      fc.uint8Array({ maxLength: 700 }),
      fc.integer({ min: -400, max: 40 }),
      fc.constantFrom("keep" as const, "keepEncoded" as const),
      (text, payload, gap, way) => {
        const area = new Area();
        const content = utf8(text);
        const topicAt = 1_000;
        const payloadAt = gap < 0 ? topicAt - 300 - payload.length + gap + 300 : topicAt + content.length + gap;
        area.write(payload, payloadAt);
        const { end } = area.write(content, topicAt);
        const topic = new Topic(area.bytes, topicAt, end - topicAt, false);
        const message = new Message(
          topic,
          area.bytes,
          payloadAt,
          payloadAt + payload.length,
          1,
          false,
          undefined,
          NEVER,
          "",
          false,
        );
        message[way]();
        area.overwrite();
        expect([message.topic, [...message.payload], topic.kept]).toEqual([text, [...payload], true]);
      },
    ),
  );
});
