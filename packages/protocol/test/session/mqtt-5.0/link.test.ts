// What a packet loses so that it fits: Reason String and User Properties, which are for people. [MQTT5 3.1.2.11.4, 3.1.2.11.7]
import { decode, type Packet } from "@wrenmq/codec";
import { describe, expect, test } from "vitest";
import { Arena, Counters, dialectOf, Link, Outbox } from "../../../src/index.ts";

const properties = {
  reasonString: "a reason that is longer than the client can take",
  userProperties: [["name", "a value that is longer than the client can take"]] as const,
};

const PACKETS: Readonly<Record<string, Packet>> = {
  "[MQTT-3.2.2-19] [MQTT-3.2.2-20] CONNACK": { type: "connack", sessionPresent: false, reasonCode: 0x87, properties },
  "[MQTT-3.4.2-2] [MQTT-3.4.2-3] PUBACK": { type: "puback", packetId: 1, reasonCode: 0x87, properties },
  "[MQTT-3.5.2-2] [MQTT-3.5.2-3] PUBREC": { type: "pubrec", packetId: 1, reasonCode: 0x87, properties },
  "[MQTT-3.6.2-2] [MQTT-3.6.2-3] PUBREL": { type: "pubrel", packetId: 1, reasonCode: 0x92, properties },
  "[MQTT-3.7.2-2] [MQTT-3.7.2-3] PUBCOMP": { type: "pubcomp", packetId: 1, reasonCode: 0x92, properties },
  "[MQTT-3.9.2-1] [MQTT-3.9.2-2] SUBACK": { type: "suback", packetId: 1, reasonCodes: [0x87], properties },
  "[MQTT-3.11.2-1] [MQTT-3.11.2-2] UNSUBACK": { type: "unsuback", packetId: 1, reasonCodes: [0x87], properties },
  "[MQTT-3.14.2-3] [MQTT-3.14.2-4] DISCONNECT": { type: "disconnect", reasonCode: 0x87, properties },
  "[MQTT-3.15.2-2] [MQTT-3.15.2-3] AUTH": {
    type: "auth",
    reasonCode: 0x18,
    properties: { ...properties, authenticationMethod: "m" },
  },
};

function send(packet: Packet, maximumPacketSize: number, problemInformation: boolean): Packet | undefined {
  const outbox = new Outbox(new Arena(new Uint8Array(1024 * 1024)), { outputReady: () => {}, outputLarge: () => {} });
  const link = new Link(outbox, { closeLink: () => {} } as never, new Counters(), {
    dialect: dialectOf(5),
    maximumPacketSize,
    receiveMaximum: 1,
    topicAliasMaximum: 0,
    problemInformation,
    highWater: 1_000,
  });
  link.send(packet);
  const bytes = outbox.take();
  expect(bytes.length).toBeLessThanOrEqual(maximumPacketSize);
  return bytes.length === 0 ? undefined : decode(new Uint8Array(bytes), 5);
}

function told(packet: Packet | undefined): unknown {
  const given = packet !== undefined && "properties" in packet ? (packet.properties ?? {}) : {};
  return { reason: "reasonString" in given, user: "userProperties" in given };
}

describe.each(Object.entries(PACKETS))("%s", (_name, packet) => {
  test("has Reason String and User Properties when there is room", () => {
    expect(told(send(packet, 1_000, true))).toEqual({ reason: true, user: true });
  });

  test("goes without them when they would push it over the client's Maximum Packet Size", () => {
    const sent = send(packet, 20, true);
    expect(sent?.type).toBe(packet.type);
    expect(told(sent)).toEqual({ reason: false, user: false });
  });

  test("is not sent at all when it is too large even so", () => {
    expect(send(packet, 2, true)).toBeUndefined();
  });
});

test("[MQTT-3.1.2-29] without Request Problem Information they come with CONNACK and DISCONNECT only", () => {
  for (const packet of Object.values(PACKETS)) {
    const is = packet.type === "connack" || packet.type === "disconnect";
    expect(told(send(packet, 1_000, false))).toEqual({ reason: is, user: is });
  }
});
