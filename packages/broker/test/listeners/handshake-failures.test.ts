import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ListenerOptions } from "@wrenmq/broker";
import { Counters } from "@wrenmq/protocol";
import { ListenerError } from "@wrenmq/transport";
import { describe, expect, onTestFinished, test } from "vitest";
// The transport's tests make certificates; another maker of them would be a copy.
import { Authority } from "../../../transport/test/certificates.ts";
import { HandshakeFailures } from "../../src/listeners/handshake-failures.ts";
import { Timers } from "../../src/runtime/timers.ts";
import { MemoryLogger, RealPace, SimClock, startBroker } from "../support.ts";

const handshake = (number: number, cause?: unknown): ListenerError =>
  new ListenerError("ERR_LISTENER_HANDSHAKE", `handshake ${number}`, cause);

const closing = (socket: Socket): Promise<unknown> =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once("close", resolve));

describe("trouble of a listener", () => {
  test("a flood is told in ten lines and one; what else is wrong is told all the same", async () => {
    const logger = new MemoryLogger();
    const clock = new SimClock();
    const counters = new Counters();
    const timers = new Timers(clock, () => {});
    const trouble = new HandshakeFailures({ listener: "tls", logger, clock, timers, counters });
    for (let number = 1; number <= 5_000; number++) trouble.report(handshake(number));
    trouble.report(new ListenerError("ERR_LISTENER_PROXY", "no header"));
    trouble.report(new Error("something else"));
    const warned = (): unknown[] => logger.lines.map(({ fields }) => fields);
    expect(warned()).toHaveLength(12);
    expect(warned()[0]).toEqual({ listener: "tls", reason: "handshake 1" });
    expect(warned().slice(10)).toEqual([
      { listener: "tls", reason: "no header" },
      { listener: "tls", reason: "something else" },
    ]);
    await clock.advance(10_000);
    expect(warned().slice(12)).toEqual([{ listener: "tls", such: "handshake 11", times: 4_990 }]);
    expect(counters).toMatchObject({ failedHandshake: 5_000, failedProxyHeader: 1 });
    // The flood is over: each is worth a line again.
    trouble.report(handshake(5_001));
    expect(warned()).toHaveLength(14);
    expect(timers.size).toBe(0);
  });

  test("who has left before the handshake was done is counted, and worth a line only to who looks for it", () => {
    const logger = new MemoryLogger();
    const clock = new SimClock();
    const counters = new Counters();
    const trouble = new HandshakeFailures({
      listener: "tls",
      logger,
      clock,
      timers: new Timers(clock, () => {}),
      counters,
    });
    trouble.report(handshake(1, Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })));
    expect(logger.lines.map(({ level }) => level)).toEqual(["debug"]);
    expect(counters.failedHandshake).toBe(1);
  });

  test("what a client speaks instead of MQTT, with its address; who said CONNECT is no trouble", async () => {
    const logger = new MemoryLogger();
    const fixture = await startBroker({ logger, hooks: { authenticate: ({ username }) => username === "ada" } });
    fixture.open(5).send("16 03 01 02 00 01 00 01 fc 03 03");
    const refused = fixture.open(5);
    refused.send(refused.connectPacket({ username: "eve" }));
    await fixture.clock.settle();
    const warned = logger.lines.filter(({ level }) => level === "warn");
    expect(warned.map(({ fields }) => fields)).toEqual([
      {
        listener: "memory",
        reason: expect.stringMatching(
          /^connection from .* closed: the first packet is not CONNECT: it looks like TLS$/,
        ),
      },
    ]);
    fixture.open(5);
    await fixture.clock.advance(10_000);
    expect(fixture.broker.metrics()).toMatchObject({ protocolErrors: 1, connectionsRefused: 1, failedConnect: 1 });
    await fixture.stop();
  });
});

test("a protocol level that nobody knows is told with the address and the level", async () => {
  const logger = new MemoryLogger();
  const fixture = await startBroker({ logger });
  for (const level of ["02", "00"]) {
    const client = fixture.open(4);
    client.send(`10 0d 00 04 4d 51 54 54 ${level} 02 00 1e 00 01 78`);
    await fixture.clock.settle();
  }
  const warned = logger.lines.filter(({ level }) => level === "warn").map(({ fields }) => fields);
  expect(warned).toEqual([
    { listener: "memory", reason: expect.stringMatching(/^connection from .+ closed: .*"MQTT", level 2\b/) },
    { listener: "memory", reason: expect.stringMatching(/^connection from .+ closed: .*"MQTT", level 0\b/) },
  ]);
  await fixture.stop();
});

describe("health checks are no trouble", () => {
  const host = "127.0.0.1";
  const proxyProtocol = { trusted: [host] };
  const heads: Readonly<Record<string, Buffer>> = {
    "nothing said": Buffer.alloc(0),
    "PROXY LOCAL": Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex"),
    "PROXY UNKNOWN": Buffer.from("PROXY UNKNOWN\r\n"),
    "half a PROXY header": Buffer.from("PROXY TC"),
  };

  test.each(["tcp", "tcp without raw connections", "tls", "ws", "wss", "unix"])("%s", async (kind) => {
    const logger = new MemoryLogger();
    const pace = new RealPace();
    const { cert, key } = await (await Authority.root("CN=Root")).issue({ name: "CN=localhost" });
    const folder = await mkdtemp(join(tmpdir(), "wrenmq-test-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const type = kind.split(" ")[0] as "tcp";
    const tls = { certificates: [{ cert, key }] };
    const place = kind === "unix" ? { path: join(folder, "socket") } : { host, port: 0 };
    const rawTcp = type === "tcp" || kind === "unix" ? { rawTcp: kind === "tcp" } : {};
    const one = { type, ...place, ...rawTcp, ...(kind === "tls" || kind === "wss" ? { tls } : {}) } as ListenerOptions;
    const behind = { ...one, proxyProtocol, ...(kind === "unix" ? { path: join(folder, "proxied") } : {}) };
    const fixture = await startBroker({ logger, listeners: { one, behind: behind as ListenerOptions } });
    onTestFinished(fixture.stop);
    const { broker } = fixture;
    for (const [name, head] of Object.entries(heads)) {
      for (const how of ["reset", "end"] as const) {
        const listener = name === "nothing said" ? "one" : "behind";
        const socket =
          kind === "unix"
            ? connect(join(folder, listener === "one" ? "socket" : "proxied"))
            : connect(broker.port(listener) as number, host);
        socket.on("error", () => {}).resume();
        await once(socket, "connect");
        if (head.length > 0) await new Promise((resolve) => socket.write(head, resolve));
        // The header should arrive before the reset overtakes it; nobody tells when it has.
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        if (how === "end" || kind === "unix") socket.end();
        else socket.resetAndDestroy();
        await closing(socket);
      }
    }
    // Somebody whose end is told comes last: then the others have been seen.
    const last = kind === "unix" ? connect(join(folder, "socket")) : connect(broker.port("one") as number, host);
    last.on("error", () => {}).resume();
    last.write("no MQTT, no TLS, and no HTTP\r\n\r\n");
    const warned = (): object[] => logger.lines.filter(({ level }) => level === "warn").map(({ fields }) => fields);
    await pace.until(() => warned().length > 0);
    last.destroy();
    expect(warned()).toEqual([{ listener: "one", reason: expect.not.stringContaining("left") }]);
    expect(JSON.stringify(logger.lines)).not.toMatch(/from {2}|with {2}|""/);
  });
});

test("connections per second from one address are those of its sockets, whatever they say", async () => {
  const pace = new RealPace();
  const fixture = await startBroker({
    listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0, limits: { connectionRate: 2 } } },
  });
  const closed: number[] = [];
  const sockets = Array.from({ length: 4 }, (_, number) => {
    const socket = connect(fixture.broker.port("tcp") as number, "127.0.0.1");
    return socket.on("error", () => {}).on("close", () => closed.push(number));
  });
  await pace.until(() => fixture.broker.metrics()["connectionsRefused"] === 2 && closed.length === 2);
  expect(fixture.broker.metrics()).toMatchObject({ connectionsAccepted: 2 });
  for (const socket of sockets) socket.destroy();
  await fixture.stop();
});
