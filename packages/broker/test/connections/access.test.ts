import type { Action, Decision } from "@wrenmq/plugin-api";
import { describe, expect, test } from "vitest";
import { type BrokerFixture, type Held, held, pluginOf, startBroker } from "../support.ts";

const lasting = { sessionExpiryInterval: 60 };

describe("the receive rule", () => {
  test("decides about each live and each retained message, shared ones too", async () => {
    const fixture = await startBroker({
      hooks: { authorize: (_client, action, topic) => action !== "receive" || !topic.includes("secret") },
    });
    const { broker } = fixture;
    broker.publish("a/secret", "kept", { retain: true });
    broker.publish("a/open", "kept", { retain: true });
    const client = await fixture.connect(5, { clientId: "c" });
    await client.subscribe("$share/g/b/#");
    await client.subscribe("a/#");
    expect(await client.messages()).toEqual(["kept"]);
    for (const topic of ["a/secret", "a/open", "b/secret", "b/open"]) broker.publish(topic, topic);
    expect(await client.messages()).toEqual(["a/open", "b/open"]);
    expect(broker.metrics()["droppedNotAuthorized"]).toBe(3);
    await fixture.stop();
  });

  test("a topic alias leads nowhere that its topic may not", async () => {
    const fixture = await startBroker({
      hooks: { authorize: (_client, action, topic) => action !== "publish" || topic !== "secret" },
    });
    const sub = await fixture.connect(5, { clientId: "sub" });
    await sub.subscribe("#");
    const pub = await fixture.connect(5, { clientId: "pub" });
    const alias = { topicAlias: 1 };
    expect(await pub.publish("open", "1", { qos: 1, properties: alias })).toBe(0);
    expect(await pub.publish("secret", "2", { qos: 1, properties: alias })).toBe(0x87);
    // The alias now stands for the forbidden topic: allowed verdicts of the topic before must not cover it.
    expect(await pub.publish("", "3", { qos: 1, properties: alias })).toBe(0x87);
    expect(await pub.publish("open", "4", { qos: 1 })).toBe(0);
    expect(await pub.publish("", "5", { qos: 1, properties: alias })).toBe(0x87);
    expect(await sub.messages()).toEqual(["1", "4"]);
    await fixture.stop();
  });

  test("verdicts about very long topics are not all remembered", async () => {
    let asked = 0;
    const fixture = await startBroker({
      hooks: {
        authorize: () => {
          asked++;
          return true;
        },
      },
    });
    const client = await fixture.connect(5);
    const publishAll = async (length: number) => {
      asked = 0;
      for (let round = 0; round < 2; round++) {
        for (let number = 0; number < 10; number++) await client.publish(`${number}`.padStart(length, "x"), "");
      }
      return asked;
    };
    expect(await publishAll(100)).toBe(10);
    expect(await publishAll(60_000)).toBe(20);
    await fixture.stop();
  });

  test("a # never shows $SYS, and nobody publishes there", async () => {
    const fixture = await startBroker({ sys: { intervalSeconds: 10 } });
    const client = await fixture.connect(5);
    await client.subscribe("#");
    expect(await client.publish("$SYS/broker/version", "mine", { qos: 1 })).toBe(0x87);
    await fixture.clock.advance(20_000);
    expect(await client.messages()).toEqual([]);
    await fixture.stop();
  });

  test("what it said about one user it does not say about the next one with the same client identifier", async () => {
    const fixture = await startBroker({
      hooks: { authorize: (client, action) => action !== "receive" || client.username !== "mallory" },
    });
    const { broker } = fixture;
    const options = { clientId: "c", cleanStart: false, properties: lasting };
    const anybody = await fixture.connect(5, options);
    await anybody.subscribe("t");
    broker.publish("t", "for anybody");
    expect(await anybody.messages()).toEqual(["for anybody"]);
    await anybody.cut();
    const mallory = await fixture.connect(5, { ...options, username: "mallory" });
    expect(mallory.history[0]?.packet).toMatchObject({ sessionPresent: true });
    broker.publish("t", "for anybody else");
    expect(await mallory.messages()).toEqual([]);
    await fixture.stop();
  });

  test("a user's session is not resumed by another user, connected or not: what waits in it is dropped and counted", async () => {
    const ended: string[] = [];
    const fixture = await startBroker({
      hooks: { sessionEnded: ({ clientId, username }, reason) => ended.push(`${clientId} ${username} ${reason}`) },
    });
    const { broker } = fixture;
    const connect = (username: string | undefined) =>
      fixture.connect(5, { clientId: "c", cleanStart: false, properties: lasting, ...(username && { username }) });
    const alice = await connect("alice");
    await alice.subscribe("t", { qos: 1 });
    await alice.cut();
    broker.publish("t", "for alice", { qos: 1 });
    for (const [username, before] of [
      ["mallory", "alice"],
      [undefined, "mallory"],
    ] as const) {
      const other = await connect(username);
      expect(other.history[0]?.packet).toMatchObject({ type: "connack", sessionPresent: false });
      expect(ended.at(-1)).toBe(`c ${before} otherUser`);
      expect(await other.messages()).toEqual([]);
    }
    expect(broker.metrics()).toMatchObject({ droppedSessionEnded: 1 });
    // Nobody's session is free to become somebody's: when an operator begins to ask for passwords nothing is lost.
    const named = await connect("alice");
    expect(named.history[0]?.packet).toMatchObject({ type: "connack", sessionPresent: true });
    await fixture.stop();
  });

  test("rules that change are asked again, for receiving and publishing", async () => {
    let allowed = true;
    const asked: string[] = [];
    const fixture = await startBroker({
      hooks: {
        authorize: (_client, action, topic) => {
          asked.push(`${action} ${topic}`);
          return action === "subscribe" || allowed;
        },
      },
    });
    const { broker } = fixture;
    const client = await fixture.connect(5);
    await client.subscribe("t");
    for (let time = 0; time < 3; time++) expect(await client.publish("p", "x", { qos: 1 })).toBe(0x10);
    for (let time = 0; time < 3; time++) broker.publish("t", "x");
    expect(await client.messages()).toHaveLength(3);
    expect(asked).toEqual(["subscribe t", "publish p", "receive t"]);
    allowed = false;
    broker.rulesChanged();
    // Something else is asked first: that must not make the old answer about "p" look new.
    await client.subscribe("u");
    expect(await client.publish("p", "x", { qos: 1 })).toBe(0x87);
    broker.publish("t", "x");
    expect(await client.messages()).toEqual([]);
    await fixture.stop();
  });

  test("a member of a shared subscription is asked about once for each topic, until rules or members change", async () => {
    let allowed = true;
    const asked: string[] = [];
    const fixture = await startBroker({
      hooks: {
        authorize: ({ clientId }, action, topic) => {
          if (action !== "receive") return true;
          asked.push(`${clientId} ${topic}`);
          return allowed && topic !== "b/secret";
        },
      },
    });
    const { broker } = fixture;
    const one = await fixture.connect(5, { clientId: "one" });
    const two = await fixture.connect(5, { clientId: "two" });
    for (const client of [one, two]) await client.subscribe("$share/g/b/#");
    const publishAll = (): void => {
      for (const topic of ["b/open", "b/open", "b/secret", "b/secret"]) broker.publish(topic, topic);
    };
    const all = ["one b/open", "one b/secret", "two b/open", "two b/secret"];
    for (let time = 0; time < 3; time++) publishAll();
    expect(asked.splice(0).sort()).toEqual(all);
    for (const client of [one, two]) expect(await client.messages()).toEqual(["b/open", "b/open", "b/open"]);

    allowed = false;
    broker.rulesChanged();
    for (let time = 0; time < 3; time++) publishAll();
    expect(asked.splice(0).sort()).toEqual(all);
    for (const client of [one, two]) expect(await client.messages()).toEqual([]);

    await two.unsubscribe("$share/g/b/#");
    for (let time = 0; time < 3; time++) publishAll();
    expect(asked.splice(0).sort()).toEqual(all.slice(0, 2));
    await fixture.stop();
  });
});

/** A receive rule whose answers come when the test says, question by question. */
async function pendingAuthorization(): Promise<[BrokerFixture, Held<Decision>[]]> {
  const questions: Held<Decision>[] = [];
  const ask = (action: Action): Decision | Promise<Decision> => {
    if (action !== "receive") return true;
    const question = held<Decision>();
    questions.push(question);
    return question.promise;
  };
  return [await startBroker({ hooks: { authorize: (_client, action) => ask(action) } }), questions];
}

describe("a receive rule that takes its time", () => {
  test("the order holds whoever is answered first, and the publisher is acknowledged after the delivery", async () => {
    const [fixture, questions] = await pendingAuthorization();
    const sub = await fixture.connect(5, { clientId: "sub" });
    await sub.subscribe("#", { qos: 1 });
    const pub = await fixture.connect(5, { clientId: "pub" });
    for (const [topic, payload] of [
      ["a", "1"],
      ["a", "2"],
      ["b", "3"],
    ] as const) {
      pub.send(pub.publishPacket(topic, payload, { qos: 1 }));
    }
    await fixture.clock.settle();
    expect(questions).toHaveLength(3);
    questions[2]?.keep(true);
    questions[1]?.keep(true);
    await fixture.clock.settle();
    expect([sub.unread.length, pub.unread.length]).toEqual([0, 0]);
    questions[0]?.keep(true);
    await fixture.clock.settle();
    expect(pub.unread.length).toBe(3);
    expect(await sub.messages()).toEqual(["1", "2", "3"]);
    // The answer is known now, and an earlier question is still open: nothing overtakes it.
    pub.send(pub.publishPacket("c", "4", { qos: 1 }), pub.publishPacket("a", "5", { qos: 1 }));
    await fixture.clock.settle();
    expect(await sub.messages()).toEqual([]);
    questions[3]?.keep(false);
    expect(await sub.messages()).toEqual(["5"]);
    expect(fixture.broker.metrics()["droppedNotAuthorized"]).toBe(1);
    await fixture.stop();
  });

  test("retained messages are asked about one after the other", async () => {
    const [fixture, questions] = await pendingAuthorization();
    for (const topic of ["a", "b", "c"]) fixture.broker.publish(topic, topic, { retain: true });
    const sub = await fixture.connect(5);
    await sub.subscribe("#", { qos: 1 });
    for (const [index, answer] of [true, false, true].entries()) {
      expect(questions).toHaveLength(index + 1);
      questions[index]?.keep(answer);
      await fixture.clock.settle();
    }
    expect(await sub.messages()).toEqual(["a", "c"]);
    await fixture.stop();
  });

  test("a message that expires meanwhile is not delivered; one with interval 0 only at once, and says 0", async () => {
    const [fixture, questions] = await pendingAuthorization();
    const sub = await fixture.connect(5, { clientId: "sub" });
    await sub.subscribe("t");
    fixture.broker.publish("t", "asked about", { properties: { messageExpiryInterval: 10 } });
    await fixture.clock.advance(10_000);
    questions[0]?.keep(true);
    expect(await sub.messages()).toEqual([]);
    expect(fixture.broker.metrics()).toMatchObject({ droppedExpired: 1 });
    fixture.broker.publish("t", "now or never", { properties: { messageExpiryInterval: 0 } });
    await sub.take("t", "now or never", { properties: { messageExpiryInterval: 0 } });
    await fixture.stop();
  });

  test("an answer that rules have overtaken is not kept", async () => {
    const [fixture, questions] = await pendingAuthorization();
    const sub = await fixture.connect(5);
    await sub.subscribe("a");
    fixture.broker.publish("a", "1");
    fixture.broker.rulesChanged();
    questions[0]?.keep(true);
    expect(await sub.messages()).toEqual(["1"]);
    fixture.broker.publish("a", "2");
    expect(questions).toHaveLength(2);
    questions[1]?.keep(false);
    expect(await sub.messages()).toEqual([]);
    await fixture.stop();
  });

  test("a session that ends meanwhile is sent nothing, and its publishers are let go", async () => {
    const [fixture, questions] = await pendingAuthorization();
    const sub = await fixture.connect(5, { clientId: "sub" });
    await sub.subscribe("a", { qos: 1 });
    const pub = await fixture.connect(5);
    pub.send(pub.publishPacket("a", "1", { qos: 1 }));
    await fixture.clock.settle();
    await sub.cut();
    questions[0]?.keep(true);
    await pub.expect("puback", { reasonCode: 0 });
    await fixture.stop();
  });

  test("QoS 0 that waits for an answer is bounded", async () => {
    const [fixture, questions] = await pendingAuthorization();
    const sub = await fixture.connect(5);
    await sub.subscribe("a");
    for (let number = 0; number < 1_500; number++) fixture.broker.publish("a", "x");
    expect(fixture.broker.metrics()["droppedBlocked"]).toBe(500);
    for (const question of questions) question.keep(true);
    expect(await sub.messages()).toHaveLength(1_000);
    await fixture.stop();
  });
});

describe("rules that changed", () => {
  test("connections and subscriptions are checked again, also of sessions without a connection", async () => {
    const banned = new Set<string>();
    const fixture = await startBroker({
      hooks: {
        authorizeConnect: ({ clientId }) => (banned.has(clientId) ? { reasonCode: 0x8a } : undefined),
        authorize: async (_client, _action, topic) => !banned.has(topic),
      },
    });
    const { broker } = fixture;
    const gone: string[] = [];
    broker.on("unsubscribed", ({ clientId }, filter) => void gone.push(`${clientId} ${filter}`));
    const stays = await fixture.connect(5, { clientId: "stays", properties: lasting });
    await stays.subscribe(["a", "$share/g/b", "c"]);
    const away = await fixture.connect(5, { clientId: "away", properties: lasting });
    await away.subscribe("a");
    await away.cut();
    const goes = await fixture.connect(5, { clientId: "goes" });
    for (const name of ["a", "b", "goes"]) banned.add(name);
    broker.rulesChanged();
    // 0x8A Banned is a code of CONNACK only: the nearest that DISCONNECT may carry takes its place.
    expect((await goes.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x87 });
    await stays.expectAlive();
    expect(gone.sort()).toEqual(["away a", "stays $share/g/b", "stays a"]);
    expect([...broker.subscriptions()].map(({ topicFilter }) => topicFilter)).toEqual(["c"]);
    await fixture.stop();
  });

  test("credentials that expire end the connection", async () => {
    const fixture = await startBroker({
      hooks: { authenticate: () => ({ reasonCode: 0, expiresAt: Date.UTC(2026, 0, 1) + 5_000 }) },
    });
    const client = await fixture.connect(5);
    await fixture.clock.advance(4_999);
    await client.expectAlive();
    await fixture.clock.advance(1);
    expect((await client.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x87 });
    await fixture.stop();
  });
});

describe("explain", () => {
  test("says what each plugin says, without consequences", async () => {
    const fixture = await startBroker({
      plugins: [
        pluginOf("door", { authenticate: () => true }),
        pluginOf("acl", {
          authorize: ({ clientId }, action, topic) => ({
            reasonCode: clientId === "boss" || topic !== "secret" ? 0 : 0x87,
            rule: `${action} line 3`,
          }),
        }),
        pluginOf("shy", { authorize: async () => undefined }),
        pluginOf("yes", { authorize: () => true }),
      ],
    });
    const { broker } = fixture;
    await fixture.connect(5, { clientId: "boss" });
    const answer = (client: string, topic: string) => broker.explain({ client, action: "publish", topic });
    expect(await answer("boss", "secret")).toEqual([
      { plugin: "acl", decision: "allow", rule: "publish line 3" },
      { plugin: "shy", decision: "abstain", rule: undefined },
      { plugin: "yes", decision: "allow", rule: undefined },
    ]);
    expect((await answer("nobody", "secret")).map(({ decision }) => decision)).toEqual(["deny", "abstain", "allow"]);
    expect(broker.metrics()).toMatchObject({ droppedNotAuthorized: 0, clientsTotal: 1 });
    await fixture.stop();
  });
});

describe("wills", () => {
  const will = { topic: "w", payload: new Uint8Array([0x21]), qos: 1, retain: true } as const;

  test("one that its client may not publish is dropped and counted, whether the answer comes now or later", async () => {
    for (const later of [false, true]) {
      const fixture = await startBroker({
        hooks: {
          authorize: (_client, action) => (later ? Promise.resolve(action !== "publish") : action !== "publish"),
        },
      });
      const watcher = await fixture.connect(5);
      await watcher.subscribe("#");
      const client = await fixture.connect(5, { clientId: "c", will });
      await client.cut();
      expect(await watcher.messages()).toEqual([]);
      expect(fixture.broker.metrics()).toMatchObject({ droppedNotAuthorized: 1, retained: 0 });
      await fixture.stop();
    }
  });

  test("$SYS is the server's own, also for wills", async () => {
    const fixture = await startBroker();
    const client = await fixture.connect(5, { will: { ...will, topic: "$SYS/broker/version" } });
    await client.cut();
    expect([...fixture.broker.retained("$SYS/#")]).toEqual([]);
    await fixture.stop();
  });

  test("a delayed will goes out when a clean start ends the session; with expiry 0 at once", async () => {
    const fixture = await startBroker();
    const watcher = await fixture.connect(5);
    await watcher.subscribe("#");
    const delayed = { ...will, properties: { willDelayInterval: 30 } };
    const client = await fixture.connect(5, { clientId: "c", will: delayed, properties: lasting });
    await client.cut();
    expect(await watcher.messages()).toEqual([]);
    await fixture.connect(5, { clientId: "c" });
    expect(await watcher.messages()).toEqual(["!"]);
    const brief = await fixture.connect(5, { clientId: "brief", will: delayed });
    await brief.cut();
    expect(await watcher.messages()).toEqual(["!"]);
    await fixture.clock.advance(60_000);
    expect(await watcher.messages()).toEqual([]);
    await fixture.stop();
  });
});
