import { ALL, bytes, V3, V5, type Vector } from "./vector.ts";

const flags = { qos: 0, retain: false, dup: false } as const;
/** Long enough for a Remaining Length and a Property Length of two bytes. */
const long = "x".repeat(200);
const longHex = "78".repeat(200);

export const publish: readonly Vector[] = [
  {
    name: "[MQTT-3.3.2-1] PUBLISH with QoS 0 and a payload",
    versions: V3,
    hex: "30 07 0003 612f62 6869",
    packet: { type: "publish", topic: "a/b", payload: bytes(0x68, 0x69), ...flags },
  },
  {
    name: "PUBLISH with QoS 1, DUP and RETAIN",
    versions: V3,
    hex: "3b 06 0001 74 000a 00",
    packet: { type: "publish", topic: "t", payload: bytes(0), qos: 1, retain: true, dup: true, packetId: 10 },
  },
  {
    name: "PUBLISH with QoS 2 and an empty payload",
    versions: V3,
    hex: "34 05 0001 74 ffff",
    packet: { type: "publish", topic: "t", payload: bytes(), qos: 2, retain: false, dup: false, packetId: 65_535 },
  },
  {
    name: "PUBLISH with a topic in other scripts, a BOM first",
    versions: V3,
    hex: "30 0d 000b efbbbf c3a4 e282ac 616263",
    packet: { type: "publish", topic: "\ufeff\u00e4\u20acabc", payload: bytes(), ...flags },
  },
  {
    name: "PUBLISH with a topic outside the Basic Multilingual Plane",
    versions: V3,
    hex: "30 07 0004 f09f9880 01",
    packet: { type: "publish", topic: "\u{1f600}", payload: bytes(1), ...flags },
  },
  {
    name: "PUBLISH with a Remaining Length of two bytes",
    versions: V3,
    hex: `30 ca01 00c8 ${longHex}`,
    packet: { type: "publish", topic: long, payload: bytes(), ...flags },
  },
  {
    name: "[MQTT-2.2.2-1] [MQTT-2.2.1-2] [MQTT-3.3.2-1] PUBLISH of MQTT 5.0 without properties",
    versions: V5,
    hex: "30 06 0003 612f62 00",
    packet: { type: "publish", topic: "a/b", payload: bytes(), ...flags },
  },
  {
    name: "PUBLISH of MQTT 5.0 with a topic alias only",
    versions: V5,
    hex: "32 09 0000 0001 03 23 0001 ff",
    packet: {
      type: "publish",
      topic: "",
      payload: bytes(0xff),
      qos: 1,
      retain: false,
      dup: false,
      packetId: 1,
      properties: { topicAlias: 1 },
    },
  },
  {
    name: "PUBLISH of MQTT 5.0 with every property",
    versions: V5,
    hex: `30 30 0001 74 2b 01 01 02 00000078 23 0005 08 0001 72 09 0002 00ff 26 0001 6b 0000 26 0001 6b 0001 76
      0b 01 0b ffffff7f 03 0001 63 21`,
    packet: {
      type: "publish",
      topic: "t",
      payload: bytes(0x21),
      ...flags,
      properties: {
        payloadFormatIndicator: 1,
        messageExpiryInterval: 120,
        topicAlias: 5,
        responseTopic: "r",
        correlationData: bytes(0, 0xff),
        userProperties: [
          ["k", ""],
          ["k", "v"],
        ],
        subscriptionIdentifiers: [1, 268_435_455],
        contentType: "c",
      },
    },
  },
  {
    name: "PUBLISH of MQTT 5.0 with a Property Length of two bytes",
    versions: V5,
    hex: `30 d001 0001 74 cb01 03 00c8 ${longHex}`,
    packet: { type: "publish", topic: "t", payload: bytes(), ...flags, properties: { contentType: long } },
  },
];

export const pings: readonly Vector[] = [
  { name: "PINGREQ", versions: ALL, hex: "c0 00", packet: { type: "pingreq" } },
  { name: "PINGRESP", versions: ALL, hex: "d0 00", packet: { type: "pingresp" } },
];
