// What was allowed when it came may not be when it is sent.
import { MemoryStore } from "@wrenmq/store";
import { describe, expect, test } from "vitest";
import { type FixtureOptions, held, startBroker } from "../support.ts";

type Allowed = (topic: string) => boolean | Promise<boolean>;

async function queueFor(options: FixtureOptions = {}) {
  let allowed: Allowed = () => true;
  const fixture = await startBroker({
    ...options,
    hooks: { authorize: ({ clientId }, action, topic) => action !== "receive" || clientId !== "sub" || allowed(topic) },
  });
  const properties = { sessionExpiryInterval: 60 };
  const sub = await fixture.connect(5, { clientId: "sub", properties });
  await sub.subscribe("#", { qos: 1 });
  await sub.cut();
  const pub = await fixture.connect(5, { clientId: "pub" });
  const publish = async (...topics: readonly string[]): Promise<void> => {
    for (const topic of topics) await pub.publish(topic, topic, { qos: 1 });
  };
  return {
    fixture,
    publish,
    change(rules: Allowed) {
      allowed = rules;
      fixture.broker.rulesChanged();
    },
    back: () => fixture.connect(5, { clientId: "sub", cleanStart: false, properties }),
  };
}

describe("messages that were queued before access was revoked", () => {
  test("are dropped and counted when they would be sent, the others arrive", async () => {
    const { fixture, publish, change, back } = await queueFor();
    await publish("public", "secret", "public");
    change((topic) => topic !== "secret");
    await publish("public");
    const sub = await back();
    expect(await sub.messages()).toEqual(["public", "public", "public"]);
    expect(fixture.broker.metrics()).toMatchObject({ droppedNotAuthorized: 1, queued: 0 });
    await fixture.stop();
  });

  test("plugins are asked once for each topic, and only about what was queued before", async () => {
    const asked: string[] = [];
    const { fixture, publish, change, back } = await queueFor();
    await publish("a", "b", "a", "b", "a");
    change((topic) => {
      asked.push(topic);
      return true;
    });
    const sub = await back();
    expect((await sub.messages()).length).toBe(5);
    expect(asked).toEqual(["a", "b"]);
    await fixture.stop();
  });

  test("a plugin that answers later keeps their order", async () => {
    const answer = held<boolean>();
    const { fixture, publish, change, back } = await queueFor();
    await publish("now", "later", "now", "never");
    change((topic) => (topic === "later" ? answer.promise : topic !== "never"));
    const sub = await back();
    expect(await sub.messages()).toEqual(["now"]);
    answer.keep(true);
    await fixture.clock.settle();
    expect(await sub.messages()).toEqual(["later", "now"]);
    expect(fixture.broker.metrics()["droppedNotAuthorized"]).toBe(1);
    await fixture.stop();
  });

  test("the same for what came back from the store: the rules may be others after a restart", async () => {
    const store = new MemoryStore();
    const first = await queueFor({ store });
    await first.publish("public", "secret");
    await first.fixture.stop();
    const again = await startBroker({
      store,
      hooks: { authorize: (_client, action, topic) => action !== "receive" || topic !== "secret" },
    });
    const sub = await again.connect(5, {
      clientId: "sub",
      cleanStart: false,
      properties: { sessionExpiryInterval: 60 },
    });
    expect(await sub.messages()).toEqual(["public"]);
    expect(again.broker.metrics()["droppedNotAuthorized"]).toBe(1);
    await again.stop();
  });
});
