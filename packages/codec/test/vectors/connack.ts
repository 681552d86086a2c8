import { ReasonCode } from "@wrenmq/codec";
import { bytes, V3, V5, type Vector } from "./vector.ts";

export const connack: readonly Vector[] = [
  {
    name: "CONNACK that accepts",
    versions: V3,
    hex: "20 02 00 00",
    packet: { type: "connack", sessionPresent: false, reasonCode: ReasonCode.Success },
  },
  {
    name: "CONNACK with Session Present",
    versions: [4],
    hex: "20 02 01 00",
    packet: { type: "connack", sessionPresent: true, reasonCode: ReasonCode.Success },
  },
  ...[
    ReasonCode.UnsupportedProtocolVersion,
    ReasonCode.ClientIdentifierNotValid,
    ReasonCode.ServerUnavailable,
    ReasonCode.BadUserNameOrPassword,
    ReasonCode.NotAuthorized,
  ].map(
    (reasonCode, index): Vector => ({
      name: `CONNACK with return code ${index + 1}`,
      versions: V3,
      hex: `20 02 00 0${index + 1}`,
      packet: { type: "connack", sessionPresent: false, reasonCode },
    }),
  ),
  {
    name: "[MQTT-2.2.2-1] CONNACK of MQTT 5.0",
    versions: V5,
    hex: "20 03 01 00 00",
    packet: { type: "connack", sessionPresent: true, reasonCode: ReasonCode.Success },
  },
  {
    name: "CONNACK of MQTT 5.0 with every property",
    versions: V5,
    hex: `20 3f 00 00 3c 11 00000001 21 0002 24 01 25 00 27 00000003 12 0001 61 22 0004 1f 0001 62 26 0001 63 0001 64
      28 01 29 00 2a 01 13 0005 1a 0001 65 1c 0001 66 15 0001 67 16 0001 68`,
    packet: {
      type: "connack",
      sessionPresent: false,
      reasonCode: ReasonCode.Success,
      properties: {
        sessionExpiryInterval: 1,
        receiveMaximum: 2,
        maximumQoS: 1,
        retainAvailable: 0,
        maximumPacketSize: 3,
        assignedClientIdentifier: "a",
        topicAliasMaximum: 4,
        reasonString: "b",
        userProperties: [["c", "d"]],
        wildcardSubscriptionAvailable: 1,
        subscriptionIdentifierAvailable: 0,
        sharedSubscriptionAvailable: 1,
        serverKeepAlive: 5,
        responseInformation: "e",
        serverReference: "f",
        authenticationMethod: "g",
        authenticationData: bytes(0x68),
      },
    },
  },
];
