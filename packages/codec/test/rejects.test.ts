import {
  decode,
  decodeBody,
  decodePublishProperties,
  MqttError,
  PacketDecoder,
  type ProtocolVersion,
} from "@wrenmq/codec";
import { describe, expect, test } from "vitest";
import { everywhere, mqtt5, mqtt311 } from "./vectors/rejects.ts";
import { fromHex, type RejectVector } from "./vectors/vector.ts";

function reasonOf(run: () => unknown): number | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof MqttError) return error.reasonCode;
    throw error;
  }
  return undefined;
}

function rejects({ name, versions, hex, reason, badLength }: RejectVector, version: ProtocolVersion): void {
  if (!versions.includes(version)) return;
  test(`${name} is refused with 0x${reason.toString(16)}`, () => {
    const bytes = fromHex(hex);
    if (badLength !== true) expect(bytes[1]).toBe(bytes.length - 2);
    expect(reasonOf(() => decode(bytes, version))).toBe(reason);
  });
}

/** Every first byte whose flags are wrong, with a body that would be right. */
function wrongFlags(version: ProtocolVersion): void {
  const id = version === 5 ? "2.1.3-1" : "2.2.2-2";
  const also = version === 5 ? " [MQTT-3.14.1-1] [MQTT-3.15.1-1]" : " [MQTT-3.14.1-1]";
  const bodies: Readonly<Record<number, string>> = {
    2: version === 5 ? "03 00 00 00" : "02 00 00",
    4: "02 0001",
    5: "02 0001",
    6: "02 0001",
    7: "02 0001",
    8: version === 5 ? "07 0001 00 0001 61 00" : "06 0001 0001 61 00",
    9: version === 5 ? "04 0001 00 00" : "03 0001 00",
    10: version === 5 ? "06 0001 00 0001 61" : "05 0001 0001 61",
    11: version === 5 ? "04 0001 00 00" : "02 0001",
    12: "00",
    13: "00",
    14: "00",
    ...(version === 5 ? { 15: "00" } : {}),
  };
  test(`[MQTT-${id}] [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1]${also} wrong flags in the fixed header`, () => {
    for (const [type, body] of Object.entries(bodies)) {
      for (let flags = 0; flags < 16; flags++) {
        const header = (Number(type) << 4) | flags;
        const bytes = fromHex(header.toString(16) + body);
        const right = flags === (["6", "8", "10"].includes(type) ? 2 : 0);
        expect(reasonOf(() => decode(bytes, version))).toBe(right ? undefined : 0x81);
      }
    }
  });
}

describe("MQTT 3.1", () => {
  for (const vector of everywhere) rejects(vector, 3);

  test("flags of the fixed header that are not used are not looked at", () => {
    const bodies: Readonly<Record<number, string>> = {
      1: "0f 0006 4d5149736470 03 02 003c 0001 61",
      4: "02 0001",
      5: "02 0001",
      6: "02 0001",
      7: "02 0001",
      8: "06 0001 0001 61 00",
      10: "05 0001 0001 61",
      12: "00",
      14: "00",
    };
    for (const [type, body] of Object.entries(bodies)) {
      const expected = decode(
        fromHex(((Number(type) << 4) | (["6", "8", "10"].includes(type) ? 2 : 0)).toString(16) + body),
        3,
      );
      for (let flags = 0; flags < 16; flags++) {
        const bytes = fromHex(((Number(type) << 4) | flags).toString(16) + body);
        expect(decode(bytes, 3)).toStrictEqual(expected);
      }
    }
  });

  test("nor are DUP at QoS 0, and what stands beside the QoS of a subscription", () => {
    expect(decode(fromHex("38 04 0001 61 78"), 3)).toStrictEqual(decode(fromHex("30 04 0001 61 78"), 3));
    expect(decode(fromHex("82 06 0001 0001 61 fe"), 3)).toStrictEqual(decode(fromHex("82 06 0001 0001 61 02"), 3));
  });

  test("a QoS of 3 is refused all the same", () => {
    for (const hex of ["36 05 0001 61 0001", "82 06 0001 0001 61 03"]) {
      expect(reasonOf(() => decode(fromHex(hex), 3))).toBe(0x81);
    }
  });

  test("an empty filter is refused", () => {
    for (const hex of ["82 05 0001 0000 00", "a2 04 0001 0000"]) {
      expect(reasonOf(() => decode(fromHex(hex), 3))).toBe(0x81);
    }
  });
});

describe("MQTT 3.1.1", () => {
  for (const vector of [...everywhere, ...mqtt311]) rejects(vector, 4);
  wrongFlags(4);
});

describe("MQTT 5.0", () => {
  for (const vector of [...everywhere, ...mqtt5]) rejects(vector, 5);
  wrongFlags(5);
});

test("a packet that is too large is refused by its header alone", () => {
  const decoder = new PacketDecoder({ maxPacketSize: 100 });
  expect(decoder.push(fromHex("30 62"))).toEqual([]);
  expect(reasonOf(() => new PacketDecoder({ maxPacketSize: 100 }).push(fromHex("30 63")))).toBe(0x95);
});

test("in a stream, a Remaining Length with a fifth byte or not in its shortest form is refused", () => {
  expect(reasonOf(() => new PacketDecoder().push(fromHex("30 ff ff ff ff")))).toBe(0x81);
  expect(reasonOf(() => new PacketDecoder().push(fromHex("c0 80 00")))).toBe(0x81);
});

describe("a bound on lists", () => {
  const body = (hex: string): Uint8Array => fromHex(hex);
  const twoPairs = "0a 26 0000 0000 26 0000 0000";
  const cases: [name: string, header: number, hex: string][] = [
    ["user properties", 0xe0, `00 ${twoPairs}`],
    ["topic filters of SUBSCRIBE", 0x82, "0001 00 0001 61 00 0001 61 00"],
    ["topic filters of UNSUBSCRIBE", 0xa2, "0001 00 0001 61 0001 61"],
    ["user properties and topic filters", 0xa2, "0001 05 26 0000 0000 0001 61"],
    [
      "user properties of CONNECT and its Will",
      0x10,
      `0004 4d515454 05 04 0000 05 26 0000 0000 0000 05 26 0000 0000 0001 61 0000`,
    ],
    ["subscription identifiers", 0x30, "0001 61 04 0b01 0b02"],
  ];
  test.each(cases)("%s: as many are read, one more is refused with 0x97", (_name, header, hex) => {
    const bytes = body(hex);
    expect(reasonOf(() => decodeBody(header, bytes, 0, bytes.length, 5, 2))).toBeUndefined();
    expect(reasonOf(() => decodeBody(header, bytes, 0, bytes.length, 5, 1))).toBe(0x97);
  });
  test("user properties of a PUBLISH that is read in parts", () => {
    const bytes = body(twoPairs);
    expect(reasonOf(() => decodePublishProperties(bytes, 1, bytes.length, 2))).toBeUndefined();
    expect(reasonOf(() => decodePublishProperties(bytes, 1, bytes.length, 1))).toBe(0x97);
  });
});
