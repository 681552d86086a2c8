import { type AckPacket, ReasonCode } from "@wrenmq/codec";
import { ALL, V5, type Vector } from "./vector.ts";

const types: readonly [type: AckPacket["type"], header: string, failure: ReasonCode][] = [
  ["puback", "40", ReasonCode.QuotaExceeded],
  ["pubrec", "50", ReasonCode.QuotaExceeded],
  ["pubrel", "62", ReasonCode.PacketIdentifierNotFound],
  ["pubcomp", "70", ReasonCode.PacketIdentifierNotFound],
];

export const acks: readonly Vector[] = types.flatMap(([type, header, failure]): Vector[] => {
  const name = type.toUpperCase();
  const code = failure.toString(16);
  return [
    {
      name,
      versions: ALL,
      hex: `${header} 02 1234`,
      packet: { type, packetId: 0x1234, reasonCode: ReasonCode.Success },
    },
    {
      name: `${name} with a reason code`,
      versions: V5,
      hex: `${header} 03 0001 ${code}`,
      packet: { type, packetId: 1, reasonCode: failure },
      alsoDecodes: [`${header} 04 0001 ${code} 00`],
    },
    {
      name: `${name} with properties`,
      versions: V5,
      hex: `${header} 0f 0001 00 0b 1f 0001 72 26 0001 6b 0001 76`,
      packet: {
        type,
        packetId: 1,
        reasonCode: ReasonCode.Success,
        properties: { reasonString: "r", userProperties: [["k", "v"]] },
      },
    },
  ];
});

/** The long forms of an acknowledgement of success, which are never written. */
export const longAcks: readonly Vector[] = types.map(([type, header]) => ({
  name: `${type.toUpperCase()} of success written out`,
  versions: V5,
  hex: `${header} 02 0001`,
  packet: { type, packetId: 1, reasonCode: ReasonCode.Success },
  alsoDecodes: [`${header} 03 0001 00`, `${header} 04 0001 00 00`],
}));
