// Statements about all packets and all bytes, tried on random ones.
import {
  decode,
  decodePublishProperties,
  encode,
  encodePublishProperties,
  FrameReader,
  MqttError,
  type Packet,
  PacketDecoder,
  type PublishProperties,
} from "@wrenmq/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyPacket } from "./arbitrary-packet.ts";

const runs = { numRuns: 300 };

/** Runs, and lets only MqttError pass as a failure. */
function attempt<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    expect(error).toBeInstanceOf(MqttError);
    return undefined;
  }
}

for (const version of [3, 4, 5] as const) {
  describe(`protocol version ${version}`, () => {
    test("any packet comes back from its bytes, and again as the same bytes", () => {
      fc.assert(
        fc.property(anyPacket(version), (packet) => {
          const bytes = encode(packet, version);
          const decoded = decode(bytes, version);
          expect(decoded).toStrictEqual(packet);
          expect(encode(decoded, version)).toStrictEqual(bytes);
        }),
        runs,
      );
    });

    test("any packets in one stream, cut anywhere, come back", () => {
      const stream = fc.tuple(
        fc.array(anyPacket(version), { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 200 })),
      );
      fc.assert(
        fc.property(stream, ([packets, sizes]) => {
          const decoder = new PacketDecoder({ version });
          const bytes = packets.flatMap((packet) => Array.from(encode(packet, version)));
          const found: Packet[] = [];
          for (const size of sizes) found.push(...decoder.push(Uint8Array.from(bytes.splice(0, size))));
          found.push(...decoder.push(Uint8Array.from(bytes)));
          expect(found).toStrictEqual(packets);
        }),
        runs,
      );
    });

    test("a packet with one byte changed or cut short is a packet or an MqttError", () => {
      const damage = fc.tuple(anyPacket(version), fc.nat(), fc.nat(255), fc.boolean());
      fc.assert(
        fc.property(damage, ([packet, place, byte, cut]) => {
          const bytes = encode(packet, version).slice();
          const at = place % bytes.length;
          bytes[at] = byte;
          attempt(() => decode(cut ? bytes.subarray(0, at) : bytes, version));
          attempt(() => new PacketDecoder({ version }).push(bytes));
        }),
        { numRuns: 1000 },
      );
    });

    test("random bytes behind a right header are a packet or an MqttError", () => {
      const body = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 120 }));
      fc.assert(
        fc.property(body, ([header, rest]) => {
          attempt(() => decode(Uint8Array.of(header, rest.length, ...rest), version));
        }),
        { numRuns: 2000 },
      );
    });
  });
}

test("what decodes can be encoded, and decodes to the same again", () => {
  const bytes = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 40 }), fc.constantFrom(3, 4, 5));
  fc.assert(
    fc.property(bytes, ([header, rest, version]) => {
      const packet = attempt(() => decode(Uint8Array.of(header, rest.length, ...rest), version));
      if (packet === undefined) return;
      const own = packet.type === "connect" ? packet.protocolVersion : version;
      expect(decode(encode(packet, own), own)).toStrictEqual(version === 3 ? withoutSession(packet) : packet);
    }),
    { numRuns: 3000 },
  );
});

/** MQTT 3.1 cannot say Session Present. */
function withoutSession(packet: Packet): Packet {
  return packet.type === "connack" ? { ...packet, sessionPresent: false } : packet;
}

test("random streams never make the reader keep more than it was sent, but for its first allocation", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }), (chunks) => {
      const reader = new FrameReader();
      let sent = 0;
      attempt(() => {
        for (const chunk of chunks) {
          sent += chunk.length;
          reader.push(chunk, 0, chunk.length);
          while (reader.next());
          expect(reader.pending).toBeLessThanOrEqual(sent);
          expect(reader.bytes.length).toBeLessThanOrEqual(Math.max(4096, 2 * sent));
        }
      });
    }),
    runs,
  );
});

test("the properties of PUBLISH come back without a packet around them", () => {
  const properties: PublishProperties = { messageExpiryInterval: 5, subscriptionIdentifiers: [1, 2], contentType: "" };
  const bytes = encodePublishProperties(properties);
  expect(decodePublishProperties(bytes, 0, bytes.length)).toStrictEqual(properties);
  expect(encodePublishProperties(undefined)).toHaveLength(0);
  expect(decodePublishProperties(bytes, 3, 3)).toStrictEqual({});
});

test("binary values are views of the bytes that were decoded", () => {
  const bytes = encode({
    type: "publish",
    topic: "t",
    payload: Uint8Array.of(1, 2),
    qos: 0,
    retain: false,
    dup: false,
  });
  const packet = decode(bytes);
  if (packet.type !== "publish") throw new Error(packet.type);
  expect(packet.payload.buffer).toBe(bytes.buffer);
});

test("a decoder takes its version from CONNECT", () => {
  const decoder = new PacketDecoder();
  const stream: Packet[] = [
    { type: "connect", protocolVersion: 5, clientId: "c", cleanStart: true, keepAlive: 0 },
    { type: "disconnect", reasonCode: 4 },
  ];
  const bytes = stream.flatMap((packet) => Array.from(encode(packet, 5)));
  expect(decoder.push(Uint8Array.from(bytes))).toStrictEqual(stream);
  expect(decoder.version).toBe(5);
});
