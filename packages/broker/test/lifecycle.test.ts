import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { MemoryStore } from "@wrenmq/store";
import { fromDuplex } from "@wrenmq/transport";
import { describe, expect, onTestFinished, test } from "vitest";
import { BrokerError, createBroker } from "../src/index.ts";
import { dialTcp, held, pluginOf, RawClient, RealPace, startBroker, text } from "./support.ts";

const open = pluginOf("open", { authenticate: () => true });

describe("life of a broker", () => {
  test("starts, stops, and starts again with nothing left of the first run", async () => {
    const fixture = await startBroker();
    const { broker } = fixture;
    expect(broker.state).toBe("started");
    const client = await fixture.connect(5, { clientId: "a", properties: { sessionExpiryInterval: 100 } });
    await client.subscribe("t");
    broker.publish("kept", "x", { retain: true });
    await fixture.stop();
    expect(broker.state).toBe("stopped");
    expect(client.closed).toBe(true);
    await broker.start();
    expect(broker.state).toBe("started");
    expect([...broker.sessions()]).toEqual([]);
    expect([...broker.retained()]).toEqual([]);
    const again = await fixture.connect(5, { clientId: "a", cleanStart: false });
    expect(again.history[0]?.packet).toMatchObject({ sessionPresent: false });
    await fixture.stop();
  });

  test("clients are told why: 0x8B Server shutting down", async () => {
    const fixture = await startBroker();
    const five = await fixture.connect(5);
    const four = await fixture.connect(4);
    await fixture.stop();
    expect(five.history.at(-1)?.packet).toMatchObject({ type: "disconnect", reasonCode: 0x8b });
    expect(four.history.at(-1)?.packet).toMatchObject({ type: "connack" });
    expect(four.closed).toBe(true);
  });

  test("says in which state a call was wrong", async () => {
    const closing = held<void>();
    const slow = { name: "slow", setup: () => ({}), close: () => closing.promise };
    const broker = createBroker({ listeners: {}, sys: { intervalSeconds: 0 }, plugins: [slow] });
    const stateError = { name: "BrokerError", code: "ERR_BROKER_STATE" };
    expect(broker.state).toBe("new");
    expect(() => broker.publish("a", "b")).toThrow(expect.objectContaining(stateError));
    expect(() => broker.subscribe("a", "b")).toThrow(expect.objectContaining(stateError));
    expect(() => broker.accept(duplexPair()[0], { listener: "x" })).toThrow(expect.objectContaining(stateError));
    await expect(broker.addListener("x", { type: "external" })).rejects.toMatchObject(stateError);
    await broker.shutdown();
    await broker.start();
    await expect(broker.start()).rejects.toMatchObject(stateError);
    const stopping = broker.shutdown();
    await expect(broker.shutdown()).rejects.toMatchObject(stateError);
    await expect(broker.start()).rejects.toMatchObject(stateError);
    closing.keep();
    await stopping;
    await broker.shutdown();
    expect(() => broker.publish("a", "b")).toThrow(BrokerError);
  });

  test("await using shuts it down", async () => {
    const events: string[] = [];
    {
      await using broker = createBroker({ listeners: {}, sys: { intervalSeconds: 0 } });
      for (const event of ["brokerStarting", "brokerStarted", "brokerStopping", "brokerStopped"] as const) {
        broker.on(event, () => events.push(event));
      }
      await broker.start();
    }
    expect(events).toEqual(["brokerStarting", "brokerStarted", "brokerStopping", "brokerStopped"]);
    const never = createBroker();
    await never[Symbol.asyncDispose]();
    expect(never.state).toBe("new");
  });

  test("a port in use: nothing keeps running", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    let closed = 0;
    const store = new MemoryStore();
    const broker = createBroker({
      listeners: {
        first: { type: "tcp", host: "127.0.0.1", port: 0 },
        second: { type: "tcp", host: "127.0.0.1", port },
      },
      store,
      plugins: [
        {
          ...open,
          close: () => {
            closed++;
          },
        },
      ],
    });
    await expect(broker.start()).rejects.toMatchObject({ code: "ERR_LISTENER_IN_USE" });
    expect(broker.state).toBe("stopped");
    expect([...broker.addresses]).toEqual([]);
    expect(closed).toBe(1);
    expect(() => store.apply([{ op: "deleteRetained", topic: "x" }])).toThrow();
    await new Promise((resolve) => taken.close(resolve));
    await broker.start();
    expect(broker.port("second")).toBe(port);
    await broker.shutdown();
    expect(closed).toBe(2);
  });

  test("a plugin that does not start: those before it are closed, its name is in the error", async () => {
    const events: string[] = [];
    const plugin = (name: string) => ({
      name,
      setup: () => {
        events.push(`${name} up`);
        return {};
      },
      close: () => {
        events.push(`${name} down`);
      },
    });
    const bad = {
      name: "bad",
      setup: () => {
        throw new Error("no such file");
      },
    };
    const broker = createBroker({ listeners: {}, plugins: [plugin("a"), plugin("b"), bad] });
    await expect(broker.start()).rejects.toMatchObject({ code: "ERR_PLUGIN_START", message: /bad.*no such file/s });
    expect(events).toEqual(["a up", "b up", "b down", "a down"]);
  });

  test("a store that does not open stops the start", async () => {
    class Broken extends MemoryStore {
      override open(): void {
        throw new Error("locked");
      }
    }
    const broker = createBroker({ listeners: {}, store: new Broken(), plugins: [open] });
    await expect(broker.start()).rejects.toThrow("locked");
    expect(broker.state).toBe("stopped");
  });

  test("a client that is waiting for a plugin is no obstacle to shutdown", async () => {
    const answer = held<boolean>();
    const fixture = await startBroker({ hooks: { authenticate: () => answer.promise } });
    const client = fixture.open(5);
    client.send(client.connectPacket({ clientId: "slow" }));
    await fixture.clock.settle();
    await fixture.stop();
    answer.keep(true);
    await fixture.clock.settle();
    expect(client.closed).toBe(true);
    expect([...fixture.broker.sessions()]).toEqual([]);
    expect(fixture.clock.pendingTimers).toBe(0);
  });
});

describe("listeners", () => {
  test("any byte stream can be accepted", async () => {
    await using broker = createBroker({
      listeners: { internal: { type: "external" } },
      plugins: [open],
      sys: { intervalSeconds: 0 },
    });
    await broker.start();
    const [near, far] = duplexPair();
    broker.accept(far, { listener: "internal" });
    const client = new RawClient(fromDuplex(near), 4, new RealPace());
    await client.connect({ clientId: "duplex" });
    expect([...broker.clients()]).toMatchObject([{ clientId: "duplex", listener: "internal" }]);
    await client.subscribe("a", { qos: 1 });
    await client.publish("a", "hello");
    await client.take("a", "hello");
    expect(() => broker.accept(far, { listener: "nowhere" })).toThrow(
      expect.objectContaining({ code: "ERR_LISTENER_UNKNOWN" }),
    );
    near.end();
  });

  test("a socket of another process is treated as the listener's own are", async () => {
    await using broker = createBroker({
      listeners: {
        usual: { type: "tcp", host: "127.0.0.1", port: 0 },
        plain: { type: "tcp", host: "127.0.0.1", port: 0, rawTcp: false },
      },
      plugins: [open],
      sys: { intervalSeconds: 0 },
    });
    await broker.start();
    const adopted: Socket[] = [];
    const names = ["usual", "plain"];
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      broker.adopt(socket, { listener: names[adopted.length] ?? "", transport: "tcp" });
      adopted.push(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    for (const clientId of names) {
      const client = new RawClient(fromDuplex(connect(port, "127.0.0.1")), 4, new RealPace());
      await client.connect({ clientId });
    }
    // A socket whose handle is used without it sees nothing; not every system can do that.
    expect(adopted[1]?.bytesRead).toBeGreaterThan(0);
    expect([...broker.clients()].map(({ listener }) => listener)).toEqual(names);
    const lost = { listener: "nowhere", transport: "tcp" } as const;
    expect(() => broker.adopt(adopted[0], lost)).toThrow(expect.objectContaining({ code: "ERR_LISTENER_UNKNOWN" }));
    server.close();
  });

  test("are added, found, removed while clients of others stay", async () => {
    const fixture = await startBroker();
    const { broker } = fixture;
    const stays = await fixture.connect(5, { clientId: "stays" });
    await broker.addListener("extra", { type: "tcp", host: "127.0.0.1", port: 0 });
    const port = broker.port("extra") as number;
    expect(broker.addresses.get("extra")).toBe(`mqtt://127.0.0.1:${port}`);
    await expect(broker.addListener("extra", { type: "external" })).rejects.toMatchObject({
      code: "ERR_BROKER_CONFIG",
    });
    expect(await broker.removeListener("extra")).toBe(true);
    expect(await broker.removeListener("extra")).toBe(false);
    expect(broker.port("extra")).toBeUndefined();
    await expect(
      new Promise((resolve, reject) => connect(port, "127.0.0.1").once("connect", resolve).once("error", reject)),
    ).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await stays.expectAlive();
    await fixture.stop();
  });

  test("one that is still being opened when the broker stops does not stay", async () => {
    const fixture = await startBroker();
    const folder = await mkdtemp(join(tmpdir(), "wrenmq-test-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, "s");
    const added = fixture.broker.addListener("late", { type: "unix", path });
    const [outcome] = await Promise.allSettled([added, fixture.broker.shutdown()]);
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "ERR_BROKER_STATE" } });
    await expect(
      new Promise((resolve, reject) => connect({ path }).once("connect", resolve).once("error", reject)),
    ).rejects.toMatchObject({ code: expect.stringMatching(/ECONNREFUSED|ENOENT/) });
  });

  test("a listener that is removed tells its clients 0x98", async () => {
    const fixture = await startBroker();
    const client = await fixture.connect(5);
    await fixture.broker.removeListener("memory");
    expect((await client.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x98 });
    await fixture.stop();
  });

  test("each has the plugins that it names, and all watch", async () => {
    const seen: string[] = [];
    const guard = (name: string, answer: boolean) =>
      pluginOf(name, {
        authenticate: () => answer,
        connected: ({ clientId }) => void seen.push(`${name} ${clientId}`),
      });
    const fixture = await startBroker({
      listeners: {
        memory: { type: "external", plugins: ["yes"] },
        closed: { type: "external", plugins: ["no"] },
        both: { type: "external" },
      },
      plugins: [guard("yes", true), guard("no", false)],
    });
    await fixture.connect(5, { clientId: "in" });
    expect(seen).toEqual(["yes in", "no in"]);
    for (const listener of ["closed", "both"]) {
      const [near, far] = duplexPair();
      fixture.broker.accept(far, { listener });
      const client = new RawClient(fromDuplex(near), 5, new RealPace());
      client.send(client.connectPacket());
      const refusing = client.expect("connack", { reasonCode: 0x87 });
      // The clock of this broker stands still: its turns have to be turned.
      let isOver = false;
      void refusing.finally(() => {
        isOver = true;
      });
      while (!isOver) await fixture.clock.settle();
      await refusing;
    }
    await fixture.stop();
  });

  test("an update changes limits and plugins; clients stay and are checked again", async () => {
    const fixture = await startBroker({
      plugins: [
        pluginOf("door", { authenticate: () => true }),
        pluginOf("strict", { authorize: (_client, _action, topic) => topic !== "secret" }),
      ],
      listeners: { memory: { type: "external", plugins: ["door"] } },
    });
    const { broker, clock } = fixture;
    const client = await fixture.connect(5, { clientId: "c" });
    await client.subscribe("secret");
    await client.publish("secret", "1");
    expect(await client.messages()).toEqual(["1"]);
    expect(broker.updateListener("memory", { plugins: ["door", "strict"], maxConnections: 1 })).toBe(true);
    expect(broker.updateListener("none", {})).toBe(false);
    await clock.settle();
    expect([...broker.subscriptions()]).toEqual([]);
    expect(await client.publish("secret", "2", { qos: 1 })).toBe(0x87);
    const second = fixture.open(5);
    second.send(second.connectPacket());
    await second.expect("connack", { reasonCode: 0x97 });
    await fixture.stop();
  });

  test("limits change for sessions that exist", async () => {
    const fixture = await startBroker();
    const client = await fixture.connect(5, { clientId: "off", properties: { sessionExpiryInterval: 60 } });
    await client.subscribe("q", { qos: 1 });
    await client.disconnect();
    fixture.broker.setLimits({ maxQueuedMessages: 2 });
    for (const payload of ["1", "2", "3"]) fixture.broker.publish("q", payload, { qos: 1 });
    expect(fixture.broker.session("off")?.queued).toBe(2);
    expect(fixture.broker.metrics()["droppedQueueFull"]).toBe(1);
    await fixture.stop();
  });

  test("plugins are replaced under load and no message is lost", async () => {
    const fixture = await startBroker();
    const { broker, clock } = fixture;
    const sub = await fixture.connect(5, { clientId: "sub" });
    await sub.subscribe("load", { qos: 1 });
    const pub = await fixture.connect(5, { clientId: "pub" });
    const starting = held<void>();
    let closed = 0;
    const slow = {
      name: "new",
      setup: async () => {
        await starting.promise;
        return { authenticate: () => true as const, authorize: () => true as const };
      },
      close: () => {
        closed++;
      },
    };
    const replacing = broker.setPlugins([slow]);
    for (let number = 0; number < 300; number++) {
      pub.send(pub.publishPacket("load", String(number), { qos: 1 }));
      if (number === 100) starting.keep();
      if (number % 10 === 0) await clock.settle();
      if (number === 200) broker.setLimits({ maxSubscriptions: 5 });
    }
    await replacing;
    await expect(broker.setPlugins([{ name: "bad", setup: () => Promise.reject(new Error("x")) }])).rejects.toThrow();
    await clock.settle();
    expect(pub.history.filter(({ packet }) => packet.type === "puback").length).toBe(300);
    const got = sub.history.flatMap(({ packet }) => (packet.type === "publish" ? [text(packet.payload)] : []));
    expect(got).toEqual(Array.from({ length: 300 }, (_, number) => String(number)));
    await pub.expect("puback");
    await fixture.stop();
    expect(closed).toBe(1);
  });
});

describe("real sockets", () => {
  test("a client that half-closes after PUBLISH still gets its PUBACK", async () => {
    await using broker = createBroker({
      listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0 } },
      plugins: [open],
      store: new MemoryStore(),
      sys: { intervalSeconds: 0 },
    });
    await broker.start();
    const socket = connect(broker.port("tcp") as number, "127.0.0.1");
    const bytes: number[] = [];
    socket.on("data", (chunk) => bytes.push(...chunk));
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.end(
      Buffer.from([0x10, 0x0d, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0, 0, 0, 0, 1, 0x78, 0x32, 6, 0, 1, 0x61, 0, 7, 0x21]),
    );
    await ended;
    expect(bytes).toEqual([0x20, 2, 0, 0, 0x40, 2, 0, 7]);
  });

  test("a restarted broker serves again", async () => {
    const broker = createBroker({
      listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0 } },
      plugins: [open],
      sys: { intervalSeconds: 0 },
    });
    for (let run = 0; run < 3; run++) {
      await broker.start();
      const client = new RawClient(await dialTcp("127.0.0.1", broker.port("tcp") as number), 5, new RealPace());
      await client.connect();
      await client.subscribe("a");
      await client.publish("a", "1");
      await client.take("a", "1");
      await broker.shutdown();
      await client.lastWords();
    }
  });
});
