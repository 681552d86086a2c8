// How long messages take, in samples: which messages count, when their time is over, and that nothing is done while nobody
// wants to know.
import { MemoryStore } from "@wrenmq/store";
import { FaultyStore } from "@wrenmq/store/testing";
import { expect, test } from "vitest";
import { type BrokerFixture, type FixtureOptions, held, startBroker } from "../support.ts";

/** A broker with a subscriber of `t`, and what is measured from now on. */
async function measured(options: FixtureOptions = {}, qos: 0 | 1 = 0) {
  const fixture = await startBroker(options);
  const subscriber = await fixture.connect(5, { clientId: "sub", properties: { sessionExpiryInterval: 60 } });
  await subscriber.subscribe("t", { qos });
  const publisher = await fixture.connect(5, { clientId: "pub" });
  const samples: number[] = [];
  const end = fixture.broker.operations.watchLatency((milliseconds) => samples.push(milliseconds));
  await pause(fixture);
  return { fixture, subscriber, publisher, samples, end };
}

/** The next read may be a sample. */
const pause = (fixture: BrokerFixture): Promise<void> => fixture.clock.advance(20);

test("a message that is delivered is a sample; then there is a pause", async () => {
  const { fixture, subscriber, publisher, samples } = await measured();
  await publisher.publish("t", "1");
  await subscriber.take("t", "1");
  expect(samples).toHaveLength(1);
  expect(samples[0]).toBeGreaterThan(0);
  await publisher.publish("t", "2");
  expect(samples).toHaveLength(1);
  await pause(fixture);
  await publisher.publish("t", "3");
  expect(samples).toHaveLength(2);
  await fixture.stop();
});

test("a message that is larger than what is copied counts too", async () => {
  const { fixture, publisher, samples } = await measured();
  await publisher.publish("t", "x".repeat(200_000));
  expect(samples).toHaveLength(1);
  await fixture.stop();
});

test("what reaches nobody, and what no client has published, is none", async () => {
  const { fixture, subscriber, publisher, samples } = await measured();
  fixture.broker.retain("kept", "1");
  for (const act of [
    () => publisher.publish("nobody", "1"),
    () => fixture.broker.publish("t", "of the server"),
    () => publisher.subscribe("kept"),
    () => publisher.take("kept", "1"),
    () => publisher.expectAlive(),
  ]) {
    await act();
    await pause(fixture);
  }
  await subscriber.take("t", "of the server");
  expect(samples).toEqual([]);
  await publisher.publish("t", "1");
  expect(samples).toHaveLength(1);
  await fixture.stop();
});

test("it is over when the message is durable and written, not sooner", async () => {
  const store = new FaultyStore(new MemoryStore());
  const { fixture, subscriber, publisher, samples } = await measured({ store }, 1);
  store.holdCommits();
  publisher.send(publisher.publishPacket("t", "1", { qos: 1 }));
  await fixture.clock.settle();
  expect([store.heldCommits, samples.length]).toEqual([1, 0]);
  // One at a time: this one is not followed.
  await pause(fixture);
  publisher.send(publisher.publishPacket("t", "2", { qos: 1 }));
  await fixture.clock.settle();
  store.releaseCommits();
  await subscriber.take("t", "1");
  expect(samples).toHaveLength(1);
  await fixture.stop();
});

test("the time in which a plugin decides belongs to it", async () => {
  const answer = held<boolean>();
  const { fixture, subscriber, publisher, samples } = await measured({
    hooks: { authorize: (_client, action) => (action === "publish" ? answer.promise : true) },
  });
  await publisher.publish("t", "1");
  await pause(fixture);
  expect(samples).toEqual([]);
  answer.keep(true);
  await subscriber.take("t", "1");
  expect(samples).toHaveLength(1);
  await fixture.stop();
});

test("a message that a plugin refuses late is none, and the next one is measured", async () => {
  const answer = held<boolean>();
  const { fixture, publisher, samples } = await measured({
    hooks: {
      authorize: (client, action, topic) =>
        action === "subscribe" || client.clientId !== "pub" || topic === "t" ? true : answer.promise,
    },
  });
  await publisher.publish("refused", "1");
  answer.keep(false);
  await pause(fixture);
  await publisher.publish("t", "2");
  expect(samples).toHaveLength(1);
  await fixture.stop();
});

test("a client that does not read is not waited for", async () => {
  const { fixture, subscriber, publisher, samples } = await measured();
  subscriber.freeze();
  await publisher.publish("t", "1");
  await pause(fixture);
  await publisher.publish("t", "2");
  expect(samples).toHaveLength(2);
  await fixture.stop();
});

test("who ends it gets nothing more, whatever is under way; others go on", async () => {
  const store = new FaultyStore(new MemoryStore());
  const { fixture, subscriber, publisher, samples, end } = await measured({ store }, 1);
  const others: number[] = [];
  const endOther = fixture.broker.operations.watchLatency((milliseconds) => others.push(milliseconds));
  store.holdCommits();
  publisher.send(publisher.publishPacket("t", "1", { qos: 1 }));
  await fixture.clock.settle();
  end();
  store.releaseCommits(1);
  await subscriber.take("t", "1");
  expect([samples.length, others.length]).toEqual([0, 1]);
  await pause(fixture);
  publisher.send(publisher.publishPacket("t", "2", { qos: 1 }));
  await fixture.clock.settle();
  endOther();
  store.releaseCommits();
  await subscriber.take("t", "2");
  expect(others).toHaveLength(1);
  await fixture.stop();
});

test("who measures goes on when the broker is started again", async () => {
  const { fixture, publisher, subscriber, samples, end } = await measured({ store: new MemoryStore() });
  const commits: number[] = [];
  fixture.broker.operations.watchCommits((milliseconds) => commits.push(milliseconds));
  await publisher.publish("t", "1");
  await subscriber.take("t", "1");
  await fixture.stop();
  const before = [samples.length, commits.length];
  expect(before[0]).toBe(1);
  await fixture.broker.start();
  const again = await fixture.connect(5, { clientId: "again", properties: { sessionExpiryInterval: 60 } });
  await again.subscribe("t", { qos: 1 });
  await pause(fixture);
  again.send(again.publishPacket("t", "2", { qos: 1 }));
  await pause(fixture);
  expect(samples).toHaveLength(2);
  expect(commits.length).toBeGreaterThan(before[1] ?? 0);
  end();
  await pause(fixture);
  await again.publish("t", "3");
  expect(samples).toHaveLength(2);
  await fixture.stop();
});
