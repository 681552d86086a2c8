import { ReasonCode } from "@wrenmq/codec";
import { ALL, bytes, V5, type Vector } from "./vector.ts";

export const disconnect: readonly Vector[] = [
  {
    name: "DISCONNECT",
    versions: ALL,
    hex: "e0 00",
    packet: { type: "disconnect", reasonCode: ReasonCode.NormalDisconnection },
  },
  {
    name: "DISCONNECT of MQTT 5.0 in its short form",
    versions: V5,
    hex: "e0 00",
    packet: { type: "disconnect", reasonCode: ReasonCode.NormalDisconnection },
    alsoDecodes: ["e0 01 00", "e0 02 00 00"],
  },
  {
    name: "DISCONNECT of MQTT 5.0 with a reason code",
    versions: V5,
    hex: "e0 01 04",
    packet: { type: "disconnect", reasonCode: ReasonCode.DisconnectWithWillMessage },
    alsoDecodes: ["e0 02 04 00"],
  },
  {
    name: "DISCONNECT of MQTT 5.0 with every property",
    versions: V5,
    hex: "e0 16 9c 14 11 00000000 1f 0001 72 26 0001 6b 0001 76 1c 0001 73",
    packet: {
      type: "disconnect",
      reasonCode: ReasonCode.UseAnotherServer,
      properties: {
        sessionExpiryInterval: 0,
        reasonString: "r",
        userProperties: [["k", "v"]],
        serverReference: "s",
      },
    },
  },
];

export const auth: readonly Vector[] = [
  {
    name: "AUTH in its short form",
    versions: V5,
    hex: "f0 00",
    packet: { type: "auth", reasonCode: ReasonCode.Success },
  },
  {
    name: "AUTH with every property",
    versions: V5,
    hex: "f0 15 18 13 15 0001 6d 16 0001 00 1f 0001 72 26 0001 6b 0001 76",
    packet: {
      type: "auth",
      reasonCode: ReasonCode.ContinueAuthentication,
      properties: {
        authenticationMethod: "m",
        authenticationData: bytes(0),
        reasonString: "r",
        userProperties: [["k", "v"]],
      },
    },
  },
];
