import { type Packet, PacketType } from "@wrenmq/codec";
import { expect, test } from "vitest";
import { ConnectionState, mayArrive } from "../../src/connection/connection-state.ts";
import { type DrivenConnection, hex, MachineDriver } from "../support/machine.ts";

type State = keyof typeof ConnectionState;

/** Which packets may arrive in which state, written down a second time. All others break the protocol. */
const MAY: Readonly<Record<State, readonly string[]>> = {
  AwaitConnect: ["Connect"],
  Authenticating: ["Auth", "Disconnect"],
  Connected: [
    "Publish",
    "Puback",
    "Pubrec",
    "Pubrel",
    "Pubcomp",
    "Subscribe",
    "Unsubscribe",
    "Pingreq",
    "Disconnect",
    "Auth",
  ],
  Closed: [],
};

/** A packet of each type, as valid as it can be. */
const BYTES: Readonly<Record<keyof typeof PacketType, string>> = {
  Connect: "10 10 00 04 'MQTT' 05 02 00 00 00 00 03 'two'",
  Connack: "20 03 00 00 00",
  Publish: "30 05 00 01 'a' 00 'x'",
  Puback: "40 02 00 01",
  Pubrec: "50 02 00 01",
  Pubrel: "62 02 00 01",
  Pubcomp: "70 02 00 01",
  Subscribe: "82 07 00 01 00 00 01 'a' 00",
  Suback: "90 04 00 01 00 00",
  Unsubscribe: "a2 06 00 01 00 00 01 'a'",
  Unsuback: "b0 04 00 01 00 00",
  Pingreq: "c0 00",
  Pingresp: "d0 00",
  Disconnect: "e0 00",
  Auth: "f0 06 19 04 15 00 01 'm'",
};

const CONNECT: Packet = {
  type: "connect",
  protocolVersion: 5,
  clientId: "me",
  cleanStart: true,
  keepAlive: 0,
  properties: { authenticationMethod: "m" },
};

function inState(state: State): DrivenConnection {
  const driver = new MachineDriver({
    ...(state === "Authenticating" ? { connect: () => ({ kind: "continue", authenticationData: undefined }) } : {}),
    continueConnect: () => ({ kind: "refused", reasonCode: 0x87 }),
    reauthenticate: () => ({ kind: "success", authenticationData: undefined }),
  });
  const connection = driver.open();
  if (state === "AwaitConnect") return connection;
  connection.receive(CONNECT);
  if (state === "Closed") connection.receive("e0 00");
  connection.taken();
  return connection;
}

const CELLS = (Object.keys(ConnectionState) as State[]).flatMap((state) =>
  (Object.keys(PacketType) as (keyof typeof PacketType)[]).map((type) => [state, type] as const),
);

test.each(CELLS)("%s × %s: the table", (state, type) => {
  expect(mayArrive(ConnectionState[state], PacketType[type])).toBe(MAY[state].includes(type));
});

test.each(CELLS)("%s × %s: the machine", (state, type) => {
  const connection = inState(state);
  expect(connection.machine.state).toBe(ConnectionState[state]);
  const effects = connection.effects.length;
  connection.receive(hex(BYTES[type]));
  const sent = connection.taken();
  if (state === "Closed") {
    expect(sent.length).toBe(0);
    expect(connection.effects.length).toBe(effects);
  } else if (MAY[state].includes(type)) {
    const ends = type === "Disconnect" || state === "Authenticating";
    expect(connection.isOpen).toBe(!ends);
  } else {
    expect(connection.end).toMatchObject({ by: "server", reasonCode: 0x82 });
    // Only a client that is in is told why.
    expect(sent[0]).toBe(state === "Connected" ? 0xe0 : undefined);
  }
});
