import { bytes, fromHex, type Vector } from "./vector.ts";

export const connect: readonly Vector[] = [
  {
    name: "minimal CONNECT of MQTT 3.1",
    versions: [3],
    hex: "10 0f 0006 4d5149736470 03 02 003c 0001 61",
    packet: { type: "connect", protocolVersion: 3, clientId: "a", cleanStart: true, keepAlive: 60 },
    // MQTT 3.1 disregards Will QoS and Will Retain without Will Flag, a user name or password that is not there, the
    // unused Connect Flag and the flags of the fixed header.
    alsoDecodes: [
      "10 0f 0006 4d5149736470 03 3a 003c 0001 61",
      "10 0f 0006 4d5149736470 03 c2 003c 0001 61",
      "10 0f 0006 4d5149736470 03 03 003c 0001 61",
      "12 0f 0006 4d5149736470 03 02 003c 0001 61",
      "1f 0f 0006 4d5149736470 03 02 003c 0001 61",
    ],
  },
  {
    name: "CONNECT of a bridge with MQTT 3.1",
    versions: [3],
    hex: "10 0f 0006 4d5149736470 83 02 003c 0001 61",
    packet: { type: "connect", protocolVersion: 3, bridge: true, clientId: "a", cleanStart: true, keepAlive: 60 },
  },
  {
    name: "CONNECT of a bridge with MQTT 3.1.1, as Mosquitto sends it",
    versions: [4],
    hex: "10 0d 0004 4d515454 84 02 001e 0001 78",
    packet: { type: "connect", protocolVersion: 4, bridge: true, clientId: "x", cleanStart: true, keepAlive: 30 },
  },
  {
    name: "CONNECT of a bridge with MQTT 5.0",
    versions: [5],
    hex: "10 0e 0004 4d515454 85 02 001e 00 0001 78",
    packet: { type: "connect", protocolVersion: 5, bridge: true, clientId: "x", cleanStart: true, keepAlive: 30 },
  },
  {
    name: "minimal CONNECT of MQTT 3.1.1",
    versions: [4],
    hex: "10 0c 0004 4d515454 04 02 0000 0000",
    packet: { type: "connect", protocolVersion: 4, clientId: "", cleanStart: true, keepAlive: 0 },
  },
  {
    name: "[MQTT-3.1.3-1] [MQTT-3.1.2-9] [MQTT-3.1.2-19] [MQTT-3.1.2-21] full CONNECT of MQTT 3.1.1",
    versions: [4],
    hex: "10 1e 0004 4d515454 04 f4 000a 0002 6964 0001 77 0002 0102 0002 7573 0003 00ff80",
    packet: {
      type: "connect",
      protocolVersion: 4,
      clientId: "id",
      cleanStart: false,
      keepAlive: 10,
      will: { topic: "w", payload: bytes(1, 2), qos: 2, retain: true },
      username: "us",
      password: bytes(0, 0xff, 0x80),
    },
  },
  {
    name: "minimal CONNECT of MQTT 5.0",
    versions: [5],
    hex: "10 0e 0004 4d515454 05 00 ffff 00 0001 63",
    packet: { type: "connect", protocolVersion: 5, clientId: "c", cleanStart: false, keepAlive: 65_535 },
  },
  {
    name: "[MQTT-3.1.3-1] [MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19] full CONNECT of MQTT 5.0",
    versions: [5],
    hex: `10 6f 0004 4d515454 05 ee 0001
      2a 11 ffffffff 21 000a 27 00100000 22 0010 19 01 17 00 26 0001 61 0001 62 26 0001 61 0000 15 0001 6d 16 0002 dead
      0002 6964
      26 18 0000000a 01 01 02 00000e10 03 0001 74 08 0001 72 09 0001 00 26 0001 78 0001 79 26 0001 78 0001 7a
      0003 772f74 0002 6869 0001 75 0001 70`,
    packet: {
      type: "connect",
      protocolVersion: 5,
      clientId: "id",
      cleanStart: true,
      keepAlive: 1,
      properties: {
        sessionExpiryInterval: 0xffff_ffff,
        receiveMaximum: 10,
        maximumPacketSize: 0x10_0000,
        topicAliasMaximum: 16,
        requestResponseInformation: 1,
        requestProblemInformation: 0,
        userProperties: [
          ["a", "b"],
          ["a", ""],
        ],
        authenticationMethod: "m",
        authenticationData: bytes(0xde, 0xad),
      },
      will: {
        topic: "w/t",
        payload: fromHex("6869"),
        qos: 1,
        retain: true,
        properties: {
          willDelayInterval: 10,
          payloadFormatIndicator: 1,
          messageExpiryInterval: 3600,
          contentType: "t",
          responseTopic: "r",
          correlationData: bytes(0),
          userProperties: [
            ["x", "y"],
            ["x", "z"],
          ],
        },
      },
      username: "u",
      password: bytes(0x70),
    },
  },
  {
    name: "CONNECT of MQTT 5.0 with a password and no user name",
    versions: [5],
    hex: "10 10 0004 4d515454 05 42 0000 00 0000 0001 70",
    packet: {
      type: "connect",
      protocolVersion: 5,
      clientId: "",
      cleanStart: true,
      keepAlive: 0,
      password: bytes(0x70),
    },
  },
];
