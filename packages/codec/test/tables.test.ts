// The tables of the codec against the two tables of the standard, copied here in a compact form.
import {
  decode,
  fromV3Connack,
  InvalidPacketError,
  isFailure,
  isReasonCodeAllowed,
  type PacketType,
  type ReasonCode,
  PacketType as Type,
  toV3Connack,
  toV3Suback,
} from "@wrenmq/codec";
import { describe, expect, test } from "vitest";
import { fromHex } from "./vectors/vector.ts";

function codes(hex: string): number[] {
  return hex.split(" ").map((code) => Number.parseInt(code, 16));
}

/** MQTT 5.0, the reason code tables of chapter 3; DISCONNECT has 0x8C from section 2.4. */
const allowed: readonly [id: string, type: PacketType, codes: number[]][] = [
  ["[MQTT-3.2.2-8]", Type.Connack, codes("00 80 81 82 83 84 85 86 87 88 89 8a 8c 90 95 97 99 9a 9b 9c 9d 9f")],
  ["[MQTT-3.4.2-1]", Type.Puback, codes("00 10 80 83 87 90 91 97 99")],
  ["[MQTT-3.5.2-1]", Type.Pubrec, codes("00 10 80 83 87 90 91 97 99")],
  ["[MQTT-3.6.2-1]", Type.Pubrel, codes("00 92")],
  ["[MQTT-3.7.2-1]", Type.Pubcomp, codes("00 92")],
  ["[MQTT-3.9.3-2]", Type.Suback, codes("00 01 02 80 83 87 8f 91 97 9e a1 a2")],
  ["[MQTT-3.11.3-2]", Type.Unsuback, codes("00 11 80 83 87 8f 91")],
  [
    "[MQTT-3.14.2-1]",
    Type.Disconnect,
    codes("00 04 80 81 82 83 87 89 8b 8c 8d 8e 8f 90 93 94 95 96 97 98 99 9a 9b 9c 9d 9e 9f a0 a1 a2"),
  ],
  ["[MQTT-3.15.2-1]", Type.Auth, codes("00 18 19")],
];

/** The property section that has nothing but this property, with a value that is allowed. */
const properties: readonly [hex: string, owners: string][] = [
  ["01 01", "publish will"],
  ["02 00000001", "publish will"],
  ["03 0001 61", "publish will"],
  ["08 0001 61", "publish will"],
  ["09 0001 61", "publish will"],
  ["0b 01", "publish subscribe"],
  ["11 00000001", "connect connack disconnect"],
  ["12 0001 61", "connack"],
  ["13 0001", "connack"],
  ["15 0001 61", "connect connack auth"],
  ["16 0001 61", "connack auth"],
  ["17 01", "connect"],
  ["18 00000001", "will"],
  ["19 01", "connect"],
  ["1a 0001 61", "connack"],
  ["1c 0001 61", "connack disconnect"],
  ["1f 0001 61", "connack puback pubrec pubrel pubcomp suback unsuback disconnect auth"],
  ["21 0001", "connect connack"],
  ["22 0001", "connect connack"],
  ["23 0001", "publish"],
  ["24 01", "connack"],
  ["25 01", "connack"],
  [
    "26 0001 61 0001 62",
    "connect connack publish will puback pubrec pubrel pubcomp subscribe suback unsubscribe unsuback disconnect auth",
  ],
  ["27 00000001", "connect connack"],
  ["28 01", "connack"],
  ["29 01", "connack"],
  ["2a 01", "connack"],
];

/** What comes before and after the property section in the smallest packet of each kind; AUTH needs its method. */
const frames: Readonly<Record<string, readonly [header: string, before: string, after: string, always?: string]>> = {
  connect: ["10", "0004 4d515454 05 02 0000", "0000"],
  will: ["10", "0004 4d515454 05 06 0000 00 0000", "0001 77 0000"],
  connack: ["20", "00 00", ""],
  publish: ["30", "0001 74", ""],
  puback: ["40", "0001 00", ""],
  pubrec: ["50", "0001 00", ""],
  pubrel: ["62", "0001 00", ""],
  pubcomp: ["70", "0001 00", ""],
  subscribe: ["82", "0001", "0001 74 00"],
  suback: ["90", "0001", "00"],
  unsubscribe: ["a2", "0001", "0001 74"],
  unsuback: ["b0", "0001", "00"],
  disconnect: ["e0", "00", ""],
  auth: ["f0", "00", "", "15 0001 6d"],
};

function counted(hex: string): string {
  return fromHex(hex).length.toString(16).padStart(2, "0") + hex;
}

function packetWith(kind: string, property: string): Uint8Array {
  const frame = frames[kind];
  if (frame === undefined) throw new Error(kind);
  const [header, before, after, always = ""] = frame;
  const section = property.startsWith(always) && always !== "" ? property : always + property;
  return fromHex(header + counted(before + counted(section) + after));
}

describe("MQTT 5.0", () => {
  for (const [id, type, list] of allowed) {
    test(`${id} reason codes of packet type ${type}`, () => {
      const all = Array.from({ length: 256 }, (_, code) => code);
      expect(all.filter((code) => isReasonCodeAllowed(code, type))).toEqual(list);
    });
  }

  test("each property is taken in the packets that may have it, once, and in no other", () => {
    for (const [property, owners] of properties) {
      for (const kind of Object.keys(frames)) {
        if (property.startsWith("15") && kind === "auth") continue;
        const bytes = packetWith(kind, property);
        if (owners.split(" ").includes(kind)) {
          expect(() => decode(bytes, 5)).not.toThrow();
          const repeats = property.startsWith("26") || (property.startsWith("0b") && kind === "publish");
          const twice = expect(() => decode(packetWith(kind, property + property), 5));
          if (repeats) twice.not.toThrow();
          else twice.toThrow(expect.objectContaining({ reasonCode: 0x82 }));
        } else {
          // Authentication Data may be in CONNECT, but not without its method.
          const reasonCode = property.startsWith("16") && kind === "connect" ? 0x82 : 0x81;
          expect(() => decode(bytes, 5)).toThrow(expect.objectContaining({ reasonCode }));
        }
      }
    }
  });

  test("failure begins at 0x80", () => {
    expect(isFailure(0x19)).toBe(false);
    expect(isFailure(0x80)).toBe(true);
  });
});

describe("MQTT 3.1.1", () => {
  test("[MQTT-3.2.2-6] return codes of CONNACK are 0 to 5, and come back as the codes they were", () => {
    for (let returnCode = 0; returnCode < 256; returnCode++) {
      const reasonCode = fromV3Connack(returnCode);
      if (returnCode <= 5) expect(toV3Connack(reasonCode as ReasonCode)).toBe(returnCode);
      else expect(reasonCode).toBeUndefined();
    }
    for (let code = 0; code < 256; code++) {
      expect([undefined, 0, 1, 2, 3, 4, 5]).toContain(toV3Connack(code as ReasonCode));
    }
  });

  test("[MQTT-3.9.3-2] return codes of SUBACK are 0, 1, 2 and 0x80", () => {
    for (const code of allowed[5]?.[2] ?? []) {
      expect(toV3Suback(code as ReasonCode)).toBe(isFailure(code as ReasonCode) ? 0x80 : code);
    }
  });
});

test("errors of our callers are TypeErrors", () => {
  expect(new InvalidPacketError("")).toBeInstanceOf(TypeError);
});
