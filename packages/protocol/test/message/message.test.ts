import { encode, encodeUtf8, type Packet, type PublishProperties, type QoS } from "@wrenmq/codec";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  Arena,
  Counters,
  dialectOf,
  encodePublish,
  Link,
  type LinkOptions,
  type LinkOwner,
  Message,
  NEVER,
  Outbox,
  TopicTable,
} from "../../src/index.ts";
import { concat } from "../support/machine.ts";
import { message } from "../support/messages.ts";

const topics = new TopicTable();

const properties: fc.Arbitrary<PublishProperties | undefined> = fc.option(
  fc.record(
    {
      payloadFormatIndicator: fc.constantFrom(0 as const, 1 as const),
      contentType: fc.string({ maxLength: 20 }),
      responseTopic: fc.constantFrom("r", "answers/\u00e4"),
      correlationData: fc.uint8Array({ maxLength: 300 }),
      userProperties: fc.array(fc.tuple(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 })), {
        minLength: 1,
        maxLength: 3,
      }),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);
const text = fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom("a", "/", "\u00e4", "\u{1f600}", "b") });

function linkOf(
  version: 4 | 5,
  options: Partial<LinkOptions> = {},
  outbox: Outbox = new Outbox(new Arena(new Uint8Array(1024 * 1024)), { outputReady: () => {}, outputLarge: () => {} }),
  owner: LinkOwner = { closeLink: () => {} },
): { link: Link; sent: () => Uint8Array } {
  const link = new Link(outbox, owner, new Counters(), {
    dialect: dialectOf(version),
    maximumPacketSize: 268_435_460,
    receiveMaximum: 65_535,
    topicAliasMaximum: 0,
    problemInformation: true,
    highWater: 1_000_000,
    ...options,
  });
  return {
    link,
    sent: () => {
      const bytes = new Uint8Array(outbox.take());
      if (bytes.length > 0) outbox.taken(true);
      return bytes;
    },
  };
}

test("every layout of a message is what the codec writes, once kept and while lent", () => {
  const flags = fc.record({
    qos: fc.constantFrom(0, 1, 2) as fc.Arbitrary<QoS>,
    retain: fc.boolean(),
    dup: fc.boolean(),
    packetId: fc.integer({ min: 1, max: 65_535 }),
  });
  fc.assert(
    fc.property(
      text,
      fc.uint8Array({ maxLength: 20_000 }),
      properties,
      flags,
      fc.boolean(),
      fc.subarray(["keep", "keepEncoded"] as const, { minLength: 1 }),
      (topic, payload, given, how, lent, ways) => {
        for (const version of [4, 5] as const) {
          const target = topics.find(topic);
          if (target === undefined) throw new Error("not a topic name");
          // Lent bytes: the payload lies in the middle of something else.
          const around = new Uint8Array(payload.length + 10).fill(255);
          around.set(payload, 5);
          const one = lent
            ? new Message(target, around, 5, 5 + payload.length, 2, false, given, NEVER, "", false)
            : message(topics, topic, payload, { properties: given });
          const { link, sent } = linkOf(version);
          const { qos, retain, packetId } = how;
          const dup = how.dup && qos > 0;
          expect(link.publish(one, qos, retain, dup, packetId, undefined, 0)).toBe(true);
          const expected = encode(
            {
              type: "publish",
              topic,
              payload,
              qos,
              retain,
              dup,
              ...(qos > 0 ? { packetId } : {}),
              ...(given === undefined ? {} : { properties: given }),
            },
            version,
          );
          const bytes = sent();
          expect(bytes.length).toBe(expected.length);
          expect(asText(bytes)).toBe(asText(expected));
          for (const way of ways) one[way]();
          one.releaseFrames();
          around.fill(0);
          for (let again = 0; again < 2; again++) {
            expect(link.publish(one, qos, retain, dup, packetId, undefined, 0)).toBe(true);
            expect(asText(sent())).toBe(asText(expected));
            expect(asText(one.payload)).toBe(asText(payload));
            one.keepEncoded();
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

/** Comparing strings is quicker than comparing arrays. */
function asText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

test("what a delivery adds comes besides the message's own properties: identifiers, seconds left, alias", () => {
  const one = message(topics, "a/b", "x", {
    properties: { contentType: "t", userProperties: [["k", "v"]] },
    expiresAt: 10_000,
  });
  const { link, sent } = linkOf(5, { topicAliasMaximum: 1 });
  const expected = (topic: string, added: PublishProperties): Uint8Array => {
    const whole = { ...added, contentType: "t", userProperties: [["k", "v"]] } as PublishProperties;
    return encode(
      {
        type: "publish",
        topic,
        payload: encodeUtf8("x"),
        qos: 1,
        retain: false,
        dup: false,
        packetId: 9,
        properties: whole,
      },
      5,
    );
  };
  const decoded = (bytes: Uint8Array): number => bytes.length;
  link.publish(one, 1, false, false, 9, [1, 300], 1);
  expect(decoded(sent())).toBe(
    expected("a/b", { subscriptionIdentifiers: [1, 300], messageExpiryInterval: 10, topicAlias: 1 }).length,
  );
  link.publish(one, 1, false, false, 9, undefined, 9_999);
  expect(decoded(sent())).toBe(expected("", { messageExpiryInterval: 1, topicAlias: 1 }).length);
  // There is one alias only.
  const other = message(topics, "other", "x");
  link.publish(other, 0, false, false, 0, undefined, 0);
  expect(String.fromCharCode(...sent())).toContain("other");
});

test("a message that is too large for its client is not sent, nor is its alias told", () => {
  const one = message(topics, "a/b", "x".repeat(50));
  const { link, sent } = linkOf(5, { topicAliasMaximum: 5, maximumPacketSize: 58 });
  // With its name it fits exactly, with an alias besides it would not.
  expect(link.publish(one, 0, false, false, 0, undefined, 0)).toBe(true);
  expect(sent().length).toBe(58);
  const two = message(topics, "a/b", "x".repeat(51));
  expect(link.publish(two, 0, false, false, 0, undefined, 0)).toBe(false);
  expect(sent().length).toBe(0);
  const three = message(topics, "a/b", "x".repeat(40));
  expect(link.publish(three, 0, false, false, 0, undefined, 0)).toBe(true);
  expect(String.fromCharCode(...sent())).toContain("a/b");
});

test("a large packet is made each client's in the place where it was read, and is then as it came", () => {
  const payload = Uint8Array.from({ length: 40_000 }, (_, index) => index & 0xff);
  const target = topics.find("large/one");
  if (target === undefined) throw new Error("not a topic name");
  for (const layout of [0, 1] as const) {
    const frame = encodePublish(
      new Message(target, payload, 0, payload.length, 1, false, undefined, NEVER, "", true),
      layout,
    );
    const asItCame = asText(frame.bytes);
    const one = new Message(target, payload, 0, payload.length, 1, false, undefined, NEVER, "", true);
    one.useFrame(layout, frame);
    for (const taken of [0, 1, 20_000, 1_000_000]) {
      const out: Uint8Array[] = [];
      const told: Packet[] = [];
      const outbox: Outbox = new Outbox(new Arena(new Uint8Array(1024 * 1024)), {
        outputReady: () => {},
        outputLarge: () => {},
        outputThrough(bytes, start, end) {
          out.push(bytes.slice(start, Math.min(end, start + taken)));
          return Math.min(end - start, taken);
        },
      });
      const owner = { closeLink: () => {}, packetSent: (packet: Packet) => told.push(packet) };
      const { link } = linkOf(4, {}, outbox, owner);
      const qos = layout === 0 ? 0 : 2;
      expect(link.publish(one, qos, true, layout === 1, 0xabcd, undefined, 0)).toBe(true);
      out.push(outbox.take());
      const id = qos > 0 ? { packetId: 0xabcd } : {};
      const packet: Packet = {
        type: "publish",
        topic: "large/one",
        payload,
        qos,
        retain: true,
        dup: layout === 1,
        ...id,
      };
      expect(asText(concat(...out))).toBe(asText(encode(packet, 4)));
      expect(asText(frame.bytes)).toBe(asItCame);
      expect(told).toMatchObject([{ type: "publish", qos, retain: true, ...id }]);
    }
  }
});
