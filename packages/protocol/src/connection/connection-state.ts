// Which packets may arrive when, as one table: everything else is a protocol error.
import { PacketType } from "@wrenmq/codec";

export const ConnectionState = { AwaitConnect: 0, Authenticating: 1, Connected: 2, Closed: 3 } as const;
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];

const bit = (...types: readonly PacketType[]): number => types.reduce((bits, type) => bits | (1 << type), 0);

/** For each state the packet types that a client may send, as bits. */
const MAY_ARRIVE: Readonly<Record<ConnectionState, number>> = {
  [ConnectionState.AwaitConnect]: bit(PacketType.Connect), // [MQTT-3.1.0-1]
  [ConnectionState.Authenticating]: bit(PacketType.Auth, PacketType.Disconnect), // [MQTT-3.1.2-30]
  [ConnectionState.Connected]: bit(
    PacketType.Publish,
    PacketType.Puback,
    PacketType.Pubrec,
    PacketType.Pubrel,
    PacketType.Pubcomp,
    PacketType.Subscribe,
    PacketType.Unsubscribe,
    PacketType.Pingreq,
    PacketType.Disconnect,
    PacketType.Auth,
  ),
  [ConnectionState.Closed]: 0,
};

export function mayArrive(state: ConnectionState, type: number): boolean {
  return (MAY_ARRIVE[state] & (1 << type)) !== 0;
}
