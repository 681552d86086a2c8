import type { Decision, Hooks, Identity } from "@wrenmq/plugin-api";
import { describe, expect, test } from "vitest";
import { createBroker } from "../../src/index.ts";
import {
  type BrokerFixture,
  dialTcp,
  type Held,
  held,
  pluginOf,
  RawClient,
  RealPace,
  startBroker,
  text,
} from "../support.ts";

/** Answers that the test gives, by what was asked. */
class Questions<T> {
  readonly asked: string[] = [];
  readonly #answers = new Map<string, Held<T>>();

  ask(what: string): Promise<T> {
    this.asked.push(what);
    const answer = held<T>();
    this.#answers.set(what, answer);
    return answer.promise;
  }

  answer(what: string, value: T): void {
    const answer = this.#answers.get(what);
    if (answer === undefined) throw new Error(`nobody asked about ${what}: ${this.asked.join(", ")}`);
    answer.keep(value);
  }
}

const isNothing = { clientsConnected: 0, clientsTotal: 0, subscriptions: 0, inflightIn: 0, inflightOut: 0, queued: 0 };

async function withAsync(name: keyof Hooks): Promise<[BrokerFixture, Questions<never>]> {
  const questions = new Questions<never>();
  const fixture = await startBroker({
    hooks: { [name]: (...given: { clientId?: string; topic?: string }[]) => questions.ask(describeAsked(given)) },
  });
  return [fixture, questions];
}

function describeAsked(given: readonly unknown[]): string {
  const [client, ...rest] = given as [{ clientId: string }, ...unknown[]];
  const words = rest.map((one) =>
    typeof one === "string" ? one : ((one as { readonly topic?: string } | undefined)?.topic ?? ""),
  );
  return [client.clientId, ...words].join(" ").trim();
}

describe("hooks that take their time", () => {
  for (const name of ["authenticate", "authorizeConnect", "connect", "will"] as const) {
    test(`${name}: only that client waits, what it sent meanwhile is done afterwards, in order`, async () => {
      const [fixture, questions] = await withAsync(name);
      const slow = fixture.open(5);
      const will = { topic: "w", payload: new Uint8Array(0), qos: 0, retain: false } as const;
      const packet = slow.connectPacket({ clientId: "slow", will });
      slow.send(packet, slow.publishPacket("t", "1", { qos: 1 }), slow.publishPacket("t", "2", { qos: 1 }), {
        type: "pingreq",
      });
      await fixture.clock.settle();
      expect(slow.history).toEqual([]);
      expect(questions.asked).toHaveLength(1);
      expect(fixture.broker.metrics()).toMatchObject(isNothing);
      const yes = { authenticate: true, authorizeConnect: true, connect: packet, will }[name];
      questions.answer(questions.asked[0] as string, yes as never);
      await slow.expect("connack", { reasonCode: 0 });
      await slow.expect("puback", { packetId: 1 });
      await slow.expect("puback", { packetId: 2 });
      await slow.expect("pingresp");
      await fixture.stop();
    });

    test(`${name}: a client that is gone meanwhile leaves nothing`, async () => {
      const [fixture, questions] = await withAsync(name);
      const timers = fixture.clock.pendingTimers;
      const slow = fixture.open(5);
      const will = { topic: "w", payload: new Uint8Array(0), qos: 0, retain: false } as const;
      slow.send(
        slow.connectPacket({ clientId: "slow", cleanStart: false, will, properties: { sessionExpiryInterval: 9 } }),
      );
      await fixture.clock.settle();
      await slow.cut();
      questions.answer(questions.asked[0] as string, true as never);
      await fixture.clock.settle();
      expect(fixture.broker.metrics()).toMatchObject(isNothing);
      await fixture.clock.advance(20_000);
      expect(fixture.clock.pendingTimers).toBe(timers);
      await fixture.stop();
    });
  }

  test("a CONNECT that plugins think about is not late; how long they may is the limit of plugins", async () => {
    const fixture = await startBroker({ hookTimeout: 1, hooks: { authenticate: () => new Promise<never>(() => {}) } });
    const slow = fixture.open(5);
    slow.send(slow.connectPacket({ clientId: "slow" }));
    await fixture.clock.advance(10_000);
    for (let turns = 0; slow.unread.length === 0 && turns < 10_000; turns++) await fixture.clock.settle();
    await slow.expect("connack", { reasonCode: 0x88 });
    await fixture.stop();
  });

  test("two clients with one identifier that are let in at the same moment: the later one stays", async () => {
    const answer = held<boolean>();
    const fixture = await startBroker({ hooks: { authenticate: () => answer.promise } });
    const clients = [fixture.open(5), fixture.open(5)];
    for (const client of clients) client.send(client.connectPacket({ clientId: "twin" }));
    await fixture.clock.settle();
    answer.keep(true);
    await fixture.clock.settle();
    const [first, second] = clients as [RawClient, RawClient];
    expect(first.closed).toBe(true);
    await second.expect("connack", { reasonCode: 0 });
    expect(fixture.broker.metrics()).toMatchObject({ clientsConnected: 1, clientsTotal: 1 });
    await second.expectAlive();
    await fixture.stop();
  });

  for (const name of ["authorize", "publish"] as const) {
    test(`${name} of a PUBLISH: its client's order holds, others go on`, async () => {
      const questions = new Questions<Decision>();
      const ask = (client: { clientId: string }, what: string): true | Promise<Decision> =>
        client.clientId === "slow" ? questions.ask(what) : true;
      const fixture = await startBroker({
        hooks:
          name === "authorize"
            ? { authorize: (client, _action, topic) => ask(client, topic) }
            : {
                publish: (client, message) =>
                  client.clientId === "slow"
                    ? questions.ask(message.topic).then((yes) => (yes === true ? message : { reasonCode: 0x87 }))
                    : undefined,
              },
      });
      const slow = await fixture.connect(5, { clientId: "slow" });
      const sub = await fixture.connect(5, { clientId: "sub" });
      await sub.subscribe("#", { qos: 2 });
      const quick = await fixture.connect(5, { clientId: "quick" });
      slow.send(
        slow.publishPacket("one", "1", { qos: 2 }),
        slow.publishPacket("two", "2", { qos: 1 }),
        slow.publishPacket("three", "3"),
        { type: "pingreq" },
      );
      await quick.publish("quick", "q", { qos: 1 });
      await sub.take("quick", "q");
      await slow.expect("pingresp");
      expect(questions.asked).toEqual(["one"]);
      questions.answer("one", true);
      await sub.take("one", "1");
      await slow.expect("pubrec", { packetId: 1, reasonCode: 0 });
      expect(questions.asked).toEqual(["one", "two"]);
      questions.answer("two", false);
      await slow.expect("puback", { packetId: 2, reasonCode: 0x87 });
      questions.answer("three", true);
      await sub.take("three", "3");
      expect(fixture.broker.metrics()).toMatchObject({ droppedNotAuthorized: 1 });
      await fixture.stop();
    });

    test(`${name} of a PUBLISH whose client has gone: QoS 2 is not taken twice, QoS 0 is not lost`, async () => {
      const questions = new Questions<Decision>();
      const fixture = await startBroker({
        hooks:
          name === "authorize"
            ? { authorize: (client, _action, topic) => (client.clientId === "slow" ? questions.ask(topic) : true) }
            : { publish: (_client, message) => questions.ask(message.topic).then(() => message) },
      });
      const properties = { sessionExpiryInterval: 60 };
      const sub = await fixture.connect(5, { clientId: "sub" });
      await sub.subscribe("#", { qos: 2 });
      for (const [qos, expected] of [
        [2, []],
        [1, []],
        [0, ["x0"]],
      ] as const) {
        const topic = `t${qos}`;
        const slow = await fixture.connect(5, { clientId: "slow", cleanStart: false, properties });
        slow.send(slow.publishPacket(topic, `x${qos}`, { qos }));
        await fixture.clock.settle();
        await slow.cut();
        questions.answer(topic, true);
        expect(await sub.messages()).toEqual(expected);
      }
      expect(fixture.broker.session("slow")).toMatchObject({ connected: false });
      expect(fixture.broker.metrics()).toMatchObject({ inflightIn: 0 });
      const again = await fixture.connect(5, { clientId: "slow", cleanStart: false, properties });
      const repeated = again.publishPacket("t2", "x2", { qos: 2, dup: true });
      again.send(repeated);
      await fixture.clock.settle();
      if (name === "publish") questions.answer("t2", true);
      else questions.answer("t2", true);
      await again.expect("pubrec", { reasonCode: 0 });
      expect(await sub.messages()).toEqual(["x2"]);
      await fixture.stop();
    });
  }

  test("a client that is taken over while it waits: the new connection has the session", async () => {
    const questions = new Questions<Decision>();
    const fixture = await startBroker({ hooks: { authorize: (_client, _action, topic) => questions.ask(topic) } });
    const properties = { sessionExpiryInterval: 60 };
    const first = await fixture.connect(5, { clientId: "c", properties });
    first.send(first.publishPacket("t", "1", { qos: 2 }));
    await fixture.clock.settle();
    const second = await fixture.connect(5, { clientId: "c", cleanStart: false, properties });
    expect((await first.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x8e });
    questions.answer("t", true);
    await second.expectAlive();
    expect(fixture.broker.metrics()).toMatchObject({ clientsConnected: 1, inflightIn: 0 });
    await fixture.stop();
  });

  test("authorize and subscribe of a SUBSCRIBE: one SUBACK with every answer in its place", async () => {
    const questions = new Questions<Decision>();
    const fixture = await startBroker({
      hooks: {
        authorize: (_client, action, topic) =>
          action === "subscribe" && topic !== "now" ? questions.ask(topic) : true,
        subscribe: (_client, subscription) =>
          subscription.topicFilter === "less" ? Promise.resolve({ ...subscription, qos: 0 as const }) : undefined,
      },
    });
    fixture.broker.publish("now", "kept", { retain: true });
    const client = await fixture.connect(5);
    client.send("82 1b 00 09 00 00 03 'yes' 01 00 02 'no' 01 00 03 'now' 01 00 04 'less' 01");
    await fixture.clock.settle();
    questions.answer("less", true);
    questions.answer("no", false);
    questions.answer("yes", true);
    expect((await client.expect("suback")).reasonCodes).toEqual([1, 0x87, 1, 0]);
    expect(await client.messages()).toEqual(["kept"]);
    await fixture.stop();
  });

  test("a subscriber that is gone before the answer is not subscribed", async () => {
    const questions = new Questions<Decision>();
    const fixture = await startBroker({ hooks: { authorize: (_client, _action, topic) => questions.ask(topic) } });
    const client = await fixture.connect(5, { clientId: "c", properties: { sessionExpiryInterval: 60 } });
    client.send("82 07 00 09 00 00 01 61 00");
    await fixture.clock.settle();
    await client.cut();
    questions.answer("a", true);
    await fixture.clock.settle();
    expect([...fixture.broker.subscriptions()]).toEqual([]);
    await fixture.stop();
  });
});

describe("lent memory", () => {
  test("password, will and authentication data are the client's own, however long a hook takes", async () => {
    const first = held<undefined>();
    const second = held<boolean>();
    const passwords: string[] = [];
    const seen: Uint8Array[] = [];
    await using broker = createBroker({
      listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0 } },
      sys: { intervalSeconds: 0 },
      plugins: [
        pluginOf("slow", {
          connect: ({ clientId }) => (clientId === "a" ? first.promise : undefined),
          authenticate: ({ clientId }, password) => {
            if (clientId !== "a") return true;
            passwords.push(text(password as Uint8Array));
            return second.promise;
          },
          packetReceived: (_client, packet) => {
            if (packet.type === "connect" && packet.clientId === "a") seen.push(packet.will?.payload as Uint8Array);
          },
        }),
      ],
    });
    await broker.start();
    const pace = new RealPace();
    const dial = async (): Promise<RawClient> =>
      new RawClient(await dialTcp("127.0.0.1", broker.port("tcp") as number), 5, pace);
    const noise = await dial();
    await noise.connect({ clientId: "noise" });
    await noise.subscribe("will");
    const bytes = new TextEncoder();
    const client = await dial();
    const will = {
      topic: "will",
      payload: bytes.encode("p".repeat(100)),
      qos: 0,
      retain: false,
      properties: { correlationData: bytes.encode("c".repeat(20)) },
    } as const;
    client.send(client.connectPacket({ clientId: "a", username: "u", password: bytes.encode("secret"), will }));
    await pace.until(() => seen.length === 1);
    await noise.publish("noise", "#".repeat(5_000), { qos: 1 });
    first.keep(undefined);
    await pace.until(() => passwords.length === 1);
    await noise.publish("noise", "#".repeat(5_000), { qos: 1 });
    second.keep(true);
    await client.expect("connack", { reasonCode: 0 });
    client.destroy();
    const sent = await noise.take("will", "p".repeat(100));
    expect(text(sent.properties?.correlationData as Uint8Array)).toBe("c".repeat(20));
    expect(passwords).toEqual(["secret"]);
    expect(text(seen[0] as Uint8Array)).toBe("p".repeat(100));
    noise.destroy();
  });
});

describe("hooks that fail", () => {
  const broken: Record<string, () => never> = {
    throws: () => {
      throw new Error("broken");
    },
    rejects: () => Promise.reject(new Error("broken")) as never,
  };
  for (const [how, fail] of Object.entries(broken)) {
    for (const name of ["authenticate", "authorizeConnect", "connect", "will"] as const) {
      test(`${name} ${how}: refused with 0x88, the broker goes on`, async () => {
        const fixture = await startBroker({ hooks: { [name]: fail } });
        const client = fixture.open(5);
        const will = { topic: "w", payload: new Uint8Array(0), qos: 0, retain: false } as const;
        client.send(client.connectPacket({ clientId: "c", will }));
        await client.expect("connack", { reasonCode: 0x88 });
        expect(fixture.broker.metrics()).toMatchObject({ hookFailures: 1, connectionsRefused: 1, clientsTotal: 0 });
        await fixture.stop();
      });
    }

    for (const name of ["authorize", "publish", "subscribe"] as const) {
      test(`${name} ${how}: refused with 0x87, the client stays`, async () => {
        const fixture = await startBroker({ hooks: { [name]: fail } });
        const client = await fixture.connect(5);
        expect(await client.publish("a", "x", { qos: 1 })).toBe(name === "subscribe" ? 0x10 : 0x87);
        const { reasonCodes } = await client.subscribe("a");
        expect(reasonCodes).toEqual([name === "publish" ? 0 : 0x87]);
        await client.expectAlive();
        expect(fixture.broker.metrics()["hookFailures"]).toBeGreaterThan(0);
        await fixture.stop();
      });
    }
  }

  test("a hook that never answers counts as a refusal after its time", async () => {
    const fixture = await startBroker({
      hookTimeout: 1,
      hooks: { authorize: () => new Promise<never>(() => {}) },
    });
    const client = await fixture.connect(5);
    client.send(client.publishPacket("a", "x", { qos: 1 }));
    for (let turns = 0; client.unread.length === 0 && turns < 10_000; turns++) await fixture.clock.settle();
    await client.expect("puback", { reasonCode: 0x87 });
    await fixture.stop();
  });

  test("an observer that throws or rejects disturbs nobody", async () => {
    const fixture = await startBroker({
      plugins: [
        pluginOf("door", { authenticate: () => true }),
        pluginOf("bad", {
          connected: () => {
            throw new Error("x");
          },
          received: () => Promise.reject(new Error("y")) as never,
          delivered: () => {
            throw new Error("z");
          },
        }),
      ],
    });
    const client = await fixture.connect(5);
    await client.subscribe("a");
    await client.publish("a", "x");
    await client.take("a", "x");
    expect(fixture.broker.metrics()["hookFailures"]).toBe(3);
    await fixture.stop();
  });
});

describe("transforming hooks", () => {
  test("connect, will, publish and subscribe can change what comes", async () => {
    const fixture = await startBroker({
      hooks: {
        authenticate: (client): Identity => ({ reasonCode: 0, username: `user of ${client.clientId}` }),
        connect: (_client, packet) => ({ ...packet, keepAlive: 30 }),
        will: (_client, will) => ({ ...will, topic: `wills/${will.topic}` }),
        publish: (client, message) => ({ ...message, topic: `${client.clientId}/${message.topic}`, qos: 1 }),
        subscribe: (_client, subscription) => ({ ...subscription, topicFilter: `#`, qos: 1 }),
      },
    });
    const sub = await fixture.connect(5, { clientId: "sub" });
    await sub.subscribe("anything", { qos: 2 });
    const will = { topic: "w", payload: new Uint8Array([0x21]), qos: 0, retain: false } as const;
    const pub = await fixture.connect(5, { clientId: "pub", will });
    expect([...fixture.broker.clients()].map(({ username }) => username)).toEqual(["user of sub", "user of pub"]);
    expect(await pub.publish("t", "x")).toBe(0);
    await sub.take("pub/t", "x", { qos: 1 });
    expect(pub.history[0]?.packet).toMatchObject({ properties: { serverKeepAlive: 30 } });
    // Those who are silent for one and a half times the interval are gone, and their wills sent.
    const other = await fixture.connect(5, { clientId: "other" });
    await fixture.clock.advance(30_000);
    await other.subscribe("anything");
    await fixture.clock.advance(16_000);
    expect(pub.closed).toBe(true);
    await other.take("wills/w", "!");
    await fixture.stop();
  });

  test("connect can change who the client says it is", async () => {
    const fixture = await startBroker({
      hooks: {
        connect: (client, packet) => {
          client.attributes["mine"] = 1;
          return { ...packet, clientId: `x-${packet.clientId}`, username: "renamed" };
        },
        authenticate: ({ username }) => username === "renamed",
      },
    });
    const client = fixture.open(5);
    client.send(client.connectPacket());
    const { properties } = await client.expect("connack", { reasonCode: 0 });
    expect(properties?.assignedClientIdentifier).toBe("x-");
    await fixture.connect(5, { clientId: "b" });
    expect([...fixture.broker.clients()]).toMatchObject([
      { clientId: "x-", username: "renamed", attributes: { mine: 1 } },
      { clientId: "x-b", username: "renamed" },
    ]);
    await fixture.stop();
  });

  test("a topic that is none refuses the message, and the client with such a will", async () => {
    const topic = "a/#";
    const fixture = await startBroker({
      hooks: { publish: (_client, message) => ({ ...message, topic }), will: (_client, will) => ({ ...will, topic }) },
    });
    const dropped: unknown[] = [];
    fixture.broker.on("dropped", (clientId, message, reason, side) => {
      dropped.push([clientId, message.topic, reason, side]);
    });
    const client = await fixture.connect(5, { clientId: "c" });
    expect(await client.publish("t", "x", { qos: 1 })).toBe(0x90);
    expect(dropped).toEqual([["c", "t", "invalidTopic", "publisher"]]);
    const will = { topic: "w", payload: new Uint8Array(1), qos: 0, retain: false } as const;
    const other = fixture.open(5);
    other.send(other.connectPacket({ clientId: "d", will }));
    await other.expect("connack", { reasonCode: 0x90 });
    expect(fixture.broker.metrics()).toMatchObject({ droppedInvalidTopic: 1, droppedNotAuthorized: 0 });
    await fixture.stop();
  });
});

describe("reason codes of plugins", () => {
  test("what a packet may not carry is replaced by what comes nearest", async () => {
    const fixture = await startBroker({
      hooks: {
        authorizeConnect: ({ clientId }) => (clientId === "no" ? { reasonCode: 0x8e } : undefined),
        authorize: (_client, action) => ({ reasonCode: action === "publish" ? 0x8a : 0x8b }),
      },
    });
    const no = fixture.open(5);
    no.send(no.connectPacket({ clientId: "no" }));
    await no.expect("connack", { reasonCode: 0x80 });
    const client = await fixture.connect(5, { clientId: "c" });
    expect(await client.publish("a", "x", { qos: 1 })).toBe(0x87);
    expect(await client.publish("a", "x", { qos: 2 })).toBe(0x87);
    expect((await client.subscribe("a")).reasonCodes).toEqual([0x80]);
    fixture.broker.disconnect("c", 0x8a);
    expect((await client.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x87 });
    await fixture.stop();
  });
});
