import { expect, test } from "vitest";
import { AckKind, OUTBOUND_NEXT, OutboundState, type OutboundStep } from "../../src/index.ts";
import { type DrivenConnection, MachineDriver } from "../support/machine.ts";
import { message } from "../support/messages.ts";

type State = keyof typeof OutboundState;
type Kind = keyof typeof AckKind;

/** Written down a second time, from the standard: every state × every acknowledgement. [MQTT5 4.3.2, 4.3.3] */
const EXPECTED: Readonly<Record<State, Readonly<Record<Kind, OutboundStep>>>> = {
  AwaitPuback: { Puback: "done", Pubrec: "violation", PubrecRefused: "violation", Pubcomp: "violation" },
  AwaitPubrec: { Puback: "violation", Pubrec: 3, PubrecRefused: "done", Pubcomp: "violation" },
  AwaitPubcomp: { Puback: "violation", Pubrec: 3, PubrecRefused: "done", Pubcomp: "done" },
};

const CELLS = (Object.keys(OutboundState) as State[]).flatMap((state) =>
  (Object.keys(AckKind) as Kind[]).map((kind) => [state, kind] as const),
);

test.each(CELLS)("the table says what the standard says: %s × %s", (state, kind) => {
  expect(OUTBOUND_NEXT[OutboundState[state]][AckKind[kind]]).toBe(EXPECTED[state][kind]);
});

/** A client of MQTT 5.0 with one message in the state, and its packet identifier. */
function inState(state: State): { connection: DrivenConnection; packetId: number } {
  const driver = new MachineDriver();
  const connection = driver.open();
  connection.receive({
    type: "connect",
    protocolVersion: 5,
    clientId: "me",
    cleanStart: true,
    keepAlive: 0,
    properties: { sessionExpiryInterval: 60 },
  });
  connection.packets();
  const qos = state === "AwaitPuback" ? 1 : 2;
  const options = { qos, retain: false, subscriptionIdentifiers: undefined } as const;
  driver.session("me").deliver(message(driver.topics, "a", "x", { qos }), options, driver.now);
  const [publish] = connection.packets();
  if (publish?.type !== "publish") throw new Error("no PUBLISH");
  const packetId = publish.packetId as number;
  if (state === "AwaitPubcomp") {
    connection.receive({ type: "pubrec", packetId, reasonCode: 0 });
    connection.packets();
  }
  return { connection, packetId };
}

const PACKETS: Readonly<Record<Kind, { type: "puback" | "pubrec" | "pubcomp"; reasonCode: 0 | 0x80 }>> = {
  Puback: { type: "puback", reasonCode: 0 },
  Pubrec: { type: "pubrec", reasonCode: 0 },
  PubrecRefused: { type: "pubrec", reasonCode: 0x80 },
  Pubcomp: { type: "pubcomp", reasonCode: 0 },
};

test.each(CELLS)("the machine does what the table says: %s × %s", (state, kind) => {
  const { connection, packetId } = inState(state);
  const { session } = connection.machine;
  connection.receive({ ...PACKETS[kind], packetId });
  const step = EXPECTED[state][kind];
  const sent = connection.packets().map((packet) => [packet.type, "reasonCode" in packet ? packet.reasonCode : 0]);
  if (step === "violation") {
    expect(connection.isOpen).toBe(false);
    expect(sent).toEqual([["disconnect", 0x82]]);
    expect(session?.window.state(packetId)).toBe(OutboundState[state]);
    return;
  }
  expect(connection.isOpen).toBe(true);
  expect(sent).toEqual(step === "done" ? [] : [["pubrel", 0]]);
  expect(session?.window.state(packetId)).toBe(step === "done" ? 0 : step);
});

test.each(["puback", "pubrec", "pubcomp"] as const)("%s of a message that is not known does no harm", (type) => {
  const { connection } = inState("AwaitPuback");
  connection.receive({ type, packetId: 77, reasonCode: 0 });
  expect(connection.isOpen).toBe(true);
  // A PUBREC is answered, or its sender would wait for ever.
  expect(connection.packets()).toMatchObject(
    type === "pubrec" ? [{ type: "pubrel", packetId: 77, reasonCode: 0x92 }] : [],
  );
});
