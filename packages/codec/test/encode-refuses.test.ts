import {
  ByteWriter,
  encode,
  encodeInto,
  InvalidPacketError,
  type Packet,
  PacketRangeError,
  ReasonCode,
} from "@wrenmq/codec";
import { describe, expect, test } from "vitest";
import { toHex } from "./vectors/vector.ts";

const payload = new Uint8Array(0);
const publish = { type: "publish", topic: "t", payload, qos: 0, retain: false, dup: false } as const;
const connect = { type: "connect", protocolVersion: 5, clientId: "", cleanStart: true, keepAlive: 0 } as const;
const subscription = { topicFilter: "t", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

/** What a caller without types could give. */
function untyped(packet: object): Packet {
  return packet as Packet;
}

describe("MQTT 3.1.1", () => {
  test("[MQTT-3.3.1-2] PUBLISH with QoS 0 and dup", () => {
    expect(() => encode({ ...publish, dup: true })).toThrow(InvalidPacketError);
  });
  test("[MQTT-3.9.3-2] SUBACK sends no failure but 0x80, and no code that is none", () => {
    const packet = {
      type: "suback",
      packetId: 1,
      reasonCodes: [ReasonCode.NotAuthorized, ReasonCode.GrantedQoS2],
    } as const;
    expect(toHex(encode(packet, 4))).toBe("900400018002");
    expect(() => encode({ ...packet, reasonCodes: [ReasonCode.Banned] }, 4)).toThrow(InvalidPacketError);
  });
  test("[MQTT-3.2.2-6] CONNACK with a reason code that has no return code", () => {
    expect(() => encode({ type: "connack", sessionPresent: false, reasonCode: ReasonCode.ProtocolError }, 4)).toThrow(
      InvalidPacketError,
    );
  });
  test("[MQTT-3.2.2-4] CONNACK with Session Present in a refusal", () => {
    expect(() => encode({ type: "connack", sessionPresent: true, reasonCode: ReasonCode.Banned }, 4)).toThrow(
      InvalidPacketError,
    );
  });
  test("[MQTT-3.1.2-22] CONNECT with a password and no user name", () => {
    expect(() => encode({ ...connect, protocolVersion: 4, password: payload })).toThrow(InvalidPacketError);
  });
  test("[MQTT-4.7.3-3] a topic of 65,535 bytes is written, one of 65,536 is refused", () => {
    expect(encode({ ...publish, topic: "a".repeat(65_535) })).toHaveLength(65_541);
    expect(() => encode({ ...publish, topic: "a".repeat(65_536) })).toThrow(PacketRangeError);
    expect(() => encode({ ...publish, topic: "\u00e4".repeat(32_768) })).toThrow(PacketRangeError);
  });
  test("[MQTT-1.5.3-1] [MQTT-1.5.3-2] a lone surrogate and U+0000", () => {
    for (const topic of ["\ud800", "a\udc00b", "\udc00\ud800", "a\0"]) {
      expect(() => encode({ ...publish, topic })).toThrow(InvalidPacketError);
      expect(() => encode({ type: "unsubscribe", packetId: 1, topicFilters: [topic] })).toThrow(InvalidPacketError);
    }
  });
  test("[MQTT-4.7.3-1] an empty topic filter", () => {
    const subscriptions = [subscription, { ...subscription, topicFilter: "" }];
    expect(() => encode({ type: "subscribe", packetId: 1, subscriptions }, 4)).toThrow(InvalidPacketError);
    expect(() => encode({ type: "unsubscribe", packetId: 1, topicFilters: ["a", ""] }, 4)).toThrow(InvalidPacketError);
  });
  test("AUTH", () => {
    expect(() => encode({ type: "auth", reasonCode: ReasonCode.Success }, 4)).toThrow(InvalidPacketError);
  });
  test("what MQTT 5.0 has more is left out", () => {
    const properties = { reasonString: "r" };
    expect(toHex(encode({ type: "puback", packetId: 1, reasonCode: ReasonCode.QuotaExceeded, properties }, 4))).toBe(
      "40020001",
    );
    expect(toHex(encode({ type: "disconnect", reasonCode: ReasonCode.ServerBusy, properties }, 4))).toBe("e000");
    expect(toHex(encode({ type: "unsuback", packetId: 1, reasonCodes: [0], properties }, 4))).toBe("b0020001");
    const options = { ...subscription, noLocal: true, retainAsPublished: true, retainHandling: 2 } as const;
    expect(toHex(encode({ type: "subscribe", packetId: 1, subscriptions: [options] }, 4))).toBe("8206000100017400");
  });
});

describe("MQTT 5.0", () => {
  test("[MQTT-2.2.1-4] Packet Identifiers outside 1 to 65,535, or missing, or where there is none", () => {
    for (const packetId of [0, -1, 1.5, 65_536, Number.NaN]) {
      expect(() => encode({ ...publish, qos: 1, packetId }, 5)).toThrow(PacketRangeError);
      expect(() => encode({ type: "puback", packetId, reasonCode: 0 }, 5)).toThrow(PacketRangeError);
      expect(() => encode({ type: "subscribe", packetId, subscriptions: [subscription] }, 5)).toThrow(PacketRangeError);
    }
    expect(() => encode({ ...publish, qos: 2 }, 5)).toThrow(InvalidPacketError);
    expect(() => encode({ ...publish, packetId: 1 }, 5)).toThrow(InvalidPacketError);
  });
  test("reason codes of other packets, for each packet that has one", () => {
    const wrong = 0x19 as ReasonCode;
    for (const type of ["puback", "pubrec", "pubrel", "pubcomp"] as const) {
      expect(() => encode({ type, packetId: 1, reasonCode: wrong }, 5)).toThrow(InvalidPacketError);
    }
    expect(() => encode({ type: "connack", sessionPresent: false, reasonCode: wrong }, 5)).toThrow(InvalidPacketError);
    expect(() => encode({ type: "suback", packetId: 1, reasonCodes: [wrong] }, 5)).toThrow(InvalidPacketError);
    expect(() => encode({ type: "unsuback", packetId: 1, reasonCodes: [wrong] }, 5)).toThrow(InvalidPacketError);
    expect(() => encode({ type: "disconnect", reasonCode: wrong }, 5)).toThrow(InvalidPacketError);
    expect(() => encode({ type: "auth", reasonCode: ReasonCode.Banned }, 5)).toThrow(InvalidPacketError);
  });
  test("[MQTT-3.3.2-8] Topic Alias 0 and other values that properties cannot have", () => {
    expect(() => encode({ ...publish, properties: { topicAlias: 0 } }, 5)).toThrow(PacketRangeError);
    expect(() => encode({ ...publish, properties: { topicAlias: 65_536 } }, 5)).toThrow(PacketRangeError);
    expect(() => encode({ ...publish, properties: { subscriptionIdentifiers: [0] } }, 5)).toThrow(PacketRangeError);
    expect(() => encode({ ...publish, properties: { subscriptionIdentifiers: [2 ** 28] } }, 5)).toThrow(
      PacketRangeError,
    );
    expect(() => encode({ ...publish, properties: { messageExpiryInterval: 2 ** 32 } }, 5)).toThrow(PacketRangeError);
    expect(() => encode({ ...publish, properties: { contentType: "x".repeat(65_536) } }, 5)).toThrow(PacketRangeError);
    expect(() => encode({ ...publish, properties: { correlationData: new Uint8Array(65_536) } }, 5)).toThrow(
      PacketRangeError,
    );
    expect(() => encode({ ...connect, properties: { receiveMaximum: 0 } })).toThrow(PacketRangeError);
    expect(() => encode({ ...connect, properties: { maximumPacketSize: 0 } })).toThrow(PacketRangeError);
    expect(() => encode({ ...connect, properties: { authenticationData: payload } })).toThrow(InvalidPacketError);
    expect(() => encode(untyped({ ...publish, properties: { payloadFormatIndicator: 2 } }), 5)).toThrow(
      PacketRangeError,
    );
    expect(() => encode(untyped({ ...publish, properties: { willDelayInterval: 2 } }), 5)).toThrow(InvalidPacketError);
    expect(() => encode(untyped({ ...publish, properties: { nonsense: 2 } }), 5)).toThrow(InvalidPacketError);
  });
  test("[MQTT-4.7.3-1] PUBLISH with neither topic nor Topic Alias", () => {
    expect(() => encode({ ...publish, topic: "" }, 5)).toThrow(InvalidPacketError);
  });
  test("nothing to subscribe, unsubscribe or answer", () => {
    expect(() => encode({ type: "subscribe", packetId: 1, subscriptions: [] }, 5)).toThrow(InvalidPacketError);
    expect(() => encode({ type: "unsubscribe", packetId: 1, topicFilters: [] }, 5)).toThrow(InvalidPacketError);
    expect(() => encode({ type: "suback", packetId: 1, reasonCodes: [] }, 5)).toThrow(InvalidPacketError);
    expect(() => encode({ type: "unsuback", packetId: 1, reasonCodes: [] }, 5)).toThrow(InvalidPacketError);
    expect(() => encode({ type: "auth", reasonCode: ReasonCode.ReAuthenticate }, 5)).toThrow(InvalidPacketError);
  });
  test("values of the wrong type", () => {
    expect(() => encode(untyped({ type: "publication" }), 5)).toThrow(InvalidPacketError);
    expect(() => encode(untyped({ ...publish, qos: 3, packetId: 1 }), 5)).toThrow(PacketRangeError);
    expect(() => encode(untyped({ ...publish, payload: "text" }), 5)).toThrow(InvalidPacketError);
    expect(() => encode(untyped({ ...publish, topic: 7 }), 5)).toThrow(InvalidPacketError);
    expect(() => encode(untyped({ ...connect, keepAlive: "7" }))).toThrow(InvalidPacketError);
    expect(() => encode(untyped({ ...connect, clientId: undefined }))).toThrow(InvalidPacketError);
    expect(() => encode(untyped({ ...connect, protocolVersion: 6 }))).toThrow(PacketRangeError);
    expect(() =>
      encode({ ...connect, will: { topic: "t", payload: new Uint8Array(65_536), qos: 0, retain: false } }),
    ).toThrow(PacketRangeError);
  });
  test("errors have codes", () => {
    expect(() => encode(untyped({}))).toThrow(expect.objectContaining({ code: "ERR_INVALID_PACKET" }));
    expect(() => encode(untyped({ ...connect, keepAlive: -1 }))).toThrow(
      expect.objectContaining({ code: "ERR_PACKET_RANGE" }),
    );
  });
});

test("encodeInto appends, and a refused packet leaves the writer as it was", () => {
  const writer = new ByteWriter(1);
  encodeInto({ type: "pingreq" }, 4, writer);
  encodeInto({ ...publish, topic: "\u20ac", payload: Uint8Array.of(1) }, 4, writer);
  expect(() => encodeInto({ type: "unsubscribe", packetId: 1, topicFilters: ["a", "\0"] }, 4, writer)).toThrow(
    TypeError,
  );
  expect(() => encodeInto({ ...publish, topic: "\0" }, 4, writer)).toThrow(TypeError);
  encodeInto({ type: "puback", packetId: 2, reasonCode: 0 }, 4, writer);
  expect(toHex(writer.toBytes())).toBe("c00030060003e282ac0140020002");
  expect(toHex(writer.view())).toBe("c00030060003e282ac0140020002");
});

test("results do not change when more is encoded", () => {
  const first = encode({ type: "puback", packetId: 1, reasonCode: 0 });
  const second = encode({ ...publish, payload: new Uint8Array(1500).fill(7) });
  for (let packetId = 1; packetId < 20_000; packetId++) encode({ type: "puback", packetId, reasonCode: 0 });
  expect(toHex(first)).toBe("40020001");
  expect(second.subarray(6).every((byte) => byte === 7)).toBe(true);
});
