// The end of a stored session: when a client may learn of it, and when a session has ended although nothing has removed it.
import { MemoryStore } from "@wrenmq/store";
import { FaultyStore } from "@wrenmq/store/testing";
import { describe, expect, test } from "vitest";
import { packets, SimClock, startBroker } from "../support.ts";

const lasting = { sessionExpiryInterval: 3_600 };

test("CONNACK says that there is no session only when the end of the stored one is durable, also one of an earlier turn", async () => {
  const store = new FaultyStore(new MemoryStore());
  const fixture = await startBroker({ store });
  const client = await fixture.connect(5, { clientId: "c", properties: lasting });
  const other = await fixture.connect(5, { clientId: "o" });
  await fixture.clock.settle();
  store.holdCommits();
  client.send({ type: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
  await fixture.clock.settle();
  expect([fixture.broker.session("c"), store.heldCommits]).toEqual([undefined, 1]);

  const again = fixture.open(5);
  again.send(again.connectPacket({ clientId: "c", cleanStart: false }));
  const stranger = fixture.open(5);
  stranger.send(stranger.connectPacket({ clientId: "s", cleanStart: false }));
  other.send({ type: "pingreq" });
  await fixture.clock.settle();
  expect(packets(again.unread)).toEqual([]);
  // Nobody else waits for it.
  expect([packets(stranger.unread), packets(other.unread)]).toEqual([["connack"], ["pingresp"]]);

  store.releaseCommits();
  await again.expect("connack", { reasonCode: 0, sessionPresent: false });
  await fixture.stop();
});

test("an end that the store has refused is waited for until the store has it", async () => {
  const store = new FaultyStore(new MemoryStore());
  const fixture = await startBroker({ store });
  const client = await fixture.connect(5, { clientId: "c", properties: lasting });
  await fixture.clock.settle();
  store.failNext(2);
  client.send({ type: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
  await fixture.clock.settle();
  const again = fixture.open(5);
  again.send(again.connectPacket({ clientId: "c", cleanStart: false }));
  await fixture.clock.settle();
  expect(packets(again.unread)).toEqual([]);
  await fixture.clock.advance(5_000);
  await again.expect("connack", { reasonCode: 0, sessionPresent: false });
  await fixture.stop();
});

describe("MQTT 5.0", () => {
  test("a session that has expired is not resumed, even if its timer is late [MQTT-4.1.0-2]", async () => {
    const fixture = await startBroker();
    const { clock } = fixture;
    // As those of a process that is busy.
    clock.at = (time, callback) => SimClock.prototype.at.call(clock, time + 500, callback);
    const brief = { clientId: "c", cleanStart: false, properties: { sessionExpiryInterval: 1 } };
    const client = await fixture.connect(5, brief);
    client.send({ type: "disconnect", reasonCode: 0 });
    await fixture.clock.advance(999);
    const inTime = fixture.open(5);
    inTime.send(inTime.connectPacket(brief));
    await inTime.expect("connack", { sessionPresent: true });
    inTime.send({ type: "disconnect", reasonCode: 0 });
    await fixture.clock.advance(1_000);
    expect(fixture.broker.session("c")).toBeDefined();
    const late = fixture.open(5);
    late.send(late.connectPacket(brief));
    await late.expect("connack", { sessionPresent: false });
    await fixture.stop();
  });
});
