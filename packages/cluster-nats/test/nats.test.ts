// Members of a cluster over a real NATS server.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { areBalanced, type Member, startMember, until } from "./support/members.ts";
import { isNatsHere, NatsServer } from "./support/nats-server.ts";

describe.skipIf(!isNatsHere)("three members over NATS", () => {
  let nats: NatsServer;
  let members: Member[];
  let [a, b, c]: Member[] = [];
  beforeAll(async () => {
    nats = await NatsServer.start("test");
    members = await Promise.all(["a", "b", "c"].map((name) => startMember(nats, name)));
    [a, b, c] = members;
    await until(() => areBalanced(members));
  });
  afterAll(async () => {
    await Promise.all(members.map((member) => member.stop()));
    await nats[Symbol.asyncDispose]();
  });
  const on = (member: Member | undefined): Member => member as Member;

  test.each([0, 1, 2] as const)("QoS %i reaches subscribers of two others, and retained messages all", async (qos) => {
    const topic = `retained-${qos}/t`;
    const subscribers = [await on(b).connect({ clientId: `b${qos}` }), await on(c).connect({ clientId: `c${qos}` })];
    for (const subscriber of subscribers) await subscriber.subscribe(`retained-${qos}/+`, { qos: 2 });
    const publisher = await on(a).connect({ clientId: `a${qos}` });
    await publisher.publish(topic, "hello", { qos, retain: true });
    for (const subscriber of subscribers) await subscriber.take(topic, "hello", { qos });
    for (const [index, member] of members.entries()) {
      const late = await member.connect({ clientId: `late${qos}${index}` });
      await late.subscribe(topic, { qos: 2 });
      await late.take(topic, "hello", { qos, retain: true });
    }
  });

  test("a client identifier is used once, wherever it connects, and its session is there", async () => {
    const first = await on(a).connect({ clientId: "one", properties: { sessionExpiryInterval: 600 } });
    await first.subscribe("one/#", { qos: 1 });
    const second = await on(b).connect({
      clientId: "one",
      cleanStart: false,
      properties: { sessionExpiryInterval: 600 },
    });
    expect(await first.expect("disconnect")).toMatchObject({ reasonCode: 0x8e });
    const publisher = await on(c).connect({ clientId: "publisher" });
    await publisher.publish("one/a", "while connected", { qos: 1 });
    await second.take("one/a", "while connected", { qos: 1 });
    await second.disconnect();
    await publisher.publish("one/b", "while away", { qos: 1 });
    const third = await on(c).connect({ clientId: "one", cleanStart: false });
    await third.take("one/b", "while away", { qos: 1 });
  });

  test("a shared subscription has members anywhere, and each message one receiver", async () => {
    const workers = await Promise.all(members.map((member, index) => member.connect({ clientId: `worker-${index}` })));
    for (const worker of workers) await worker.subscribe("$share/group/jobs", { qos: 1 });
    const publisher = await on(a).connect({ clientId: "boss" });
    for (let number = 0; number < 30; number++) await publisher.publish("jobs", `${number}`, { qos: 1 });
    const received = (await Promise.all(workers.map((worker) => worker.messages()))).map((all) => all);
    expect(received.flat().toSorted((one, other) => Number(one) - Number(other))).toEqual(
      Array.from({ length: 30 }, (_, number) => `${number}`),
    );
    expect(received.filter((all) => all.length > 0).length).toBeGreaterThan(1);
  });

  test("a will is sent to subscribers of other members", async () => {
    const mourners = [await on(b).connect({ clientId: "mourner-b" }), await on(c).connect({ clientId: "mourner-c" })];
    for (const mourner of mourners) await mourner.subscribe("wills/+", { qos: 1 });
    const will = { topic: "wills/x", payload: new TextEncoder().encode("gone"), qos: 1, retain: false } as const;
    const client = await on(a).connect({ clientId: "mortal", will });
    client.destroy();
    for (const mourner of mourners) await mourner.take("wills/x", "gone", { qos: 1 });
  });

  test("clients without an identifier get one, and may come back with it", async () => {
    for (const member of members) {
      const client = await member.connect({ clientId: "" });
      const assigned = client.history[0]?.packet;
      const clientId = assigned?.type === "connack" ? assigned.properties?.assignedClientIdentifier : undefined;
      expect(clientId).toMatch(/^wrenmq-/);
      await on(a).connect({ clientId: clientId as string });
    }
  });

  test("NATS is killed and comes back: nothing that was acknowledged is lost, nothing comes twice", async () => {
    const subscribers = [await on(b).connect({ clientId: "sub-b" }), await on(c).connect({ clientId: "sub-c" })];
    for (const subscriber of subscribers) await subscriber.subscribe("load/#", { qos: 2 });
    const publisher = await on(a).connect({ clientId: "pub-a" });
    const count = 600;
    let acknowledged = 0;
    const packets = Array.from({ length: count }, (_, number) =>
      publisher.publishPacket(`load/${number % 7}`, `${number}`, { qos: 1 }),
    );
    const batch = (from: number, to: number): void => publisher.send(...packets.slice(from, to));
    const answered = async (wanted: number): Promise<void> => {
      while (acknowledged < wanted) {
        const { reasonCode } = await publisher.expect("puback");
        expect(reasonCode).toBe(0);
        acknowledged++;
      }
    };
    batch(0, 200);
    await answered(100);
    await nats.kill();
    batch(200, 400);
    await until(() => members.every(({ member }) => !member.report().isConnected && !member.report().isCertain));
    await nats.start();
    await answered(400);
    batch(400, 600);
    await answered(600);
    for (const subscriber of subscribers) {
      const received = await subscriber.messages();
      expect(received.map(Number).toSorted((one, other) => one - other)).toEqual([...packets.keys()]);
    }
    await until(() => areBalanced(members));
  });

  test("one comes and goes: it has the retained messages when it serves clients, and its partitions go on", async () => {
    const publisher = await on(a).connect({ clientId: "before" });
    for (let number = 0; number < 500; number++) {
      publisher.send(publisher.publishPacket(`many/${number}`, "x".repeat(2_000), { qos: 0, retain: true }));
    }
    await publisher.publish("many/last", "x", { qos: 1, retain: true });
    const d = await startMember(nats, "d");
    const reader = await d.connect({ clientId: "reader" });
    await reader.subscribe("many/#");
    expect(await reader.messages()).toHaveLength(501);
    await reader.subscribe("to-d", { qos: 1 });
    await publisher.publish("to-d", "there", { qos: 1 });
    await reader.take("to-d", "there", { qos: 1 });
    await d.stop();
    await until(() => on(a).member.report().members.length === 3);
    const again = await on(b).connect({ clientId: "reader" });
    await again.subscribe("to-d", { qos: 1 });
    await publisher.publish("to-d", "again", { qos: 1 });
    await again.take("to-d", "again", { qos: 1 });
  });

  test("a namesake, and another number of partitions, are refused in one line", async () => {
    await expect(startMember(nats, "a")).rejects.toThrow(
      'this broker cannot be a member of cluster "test": another member is named "a" and is alive: cluster.member must be a name of its own',
    );
    await expect(startMember(nats, "e", { partitions: 32 })).rejects.toThrow(
      /16 partitions, this configuration says 32/,
    );
  });
});

describe.skipIf(!isNatsHere)("NATS that does not do what is needed", () => {
  test("is not there: one line, and it goes on as soon as it is", async () => {
    await using nats = await NatsServer.start("test", false);
    const lines: string[] = [];
    const starting = startMember(nats, "a", { said: (line) => lines.push(line) });
    await until(() => lines.length > 0);
    await nats.start();
    const member = await starting;
    expect(lines).toEqual([
      expect.stringMatching(/^NATS \(nats:\/\/127\.0\.0\.1:\d+\) cannot be reached: .+; trying again until it can$/),
    ]);
    await member.stop();
  });

  test("is not there, and is not waited for any more", async () => {
    await using nats = await NatsServer.start("test", false);
    const stopping = new AbortController();
    const starting = startMember(nats, "a", {
      signal: stopping.signal,
      said: () => stopping.abort(new Error("stopped")),
    });
    await expect(starting).rejects.toThrow("stopped");
  });

  test("refuses the credentials", async () => {
    await using nats = await NatsServer.start("test");
    const wrong = { servers: [nats.url], username: "wren", password: "wrong" };
    await expect(startMember(nats, "a", { nats: wrong })).rejects.toThrow(/^NATS \(.+\) refuses the credentials$/);
  });

  test("does not permit this cluster", async () => {
    await using nats = await NatsServer.start("test");
    await expect(startMember(nats, "a", { name: "another" })).rejects.toThrow(/^NATS does not permit what the cluster/);
  });

  test("cannot keep the replicas", async () => {
    await using nats = await NatsServer.start("test");
    await expect(startMember(nats, "a", { replicas: 3 })).rejects.toThrow(
      /^cluster.replicas: NATS cannot keep 3 replicas/,
    );
  });
});
