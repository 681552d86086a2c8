import { connect } from "node:net";
import { Counters } from "@wrenmq/protocol";
import { ListenerError } from "@wrenmq/transport";
import { describe, expect, test } from "vitest";
import { HandshakeFailures } from "../../src/listeners/handshake-failures.ts";
import { Timers } from "../../src/runtime/timers.ts";
import { MemoryLogger, RealPace, SimClock, startBroker } from "../support.ts";

const handshake = (number: number, cause?: unknown): ListenerError =>
  new ListenerError("ERR_LISTENER_HANDSHAKE", `handshake ${number}`, cause);

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
    expect(warned()[0]).toEqual({ listener: "tls", error: "handshake 1" });
    expect(warned().slice(10)).toEqual([
      { listener: "tls", error: "no header" },
      { listener: "tls", error: "something else" },
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
        error: expect.stringMatching(/^connection from .* closed: the first packet is not CONNECT: it looks like TLS$/),
      },
    ]);
    fixture.open(5);
    await fixture.clock.advance(10_000);
    expect(fixture.broker.metrics()).toMatchObject({ protocolErrors: 1, connectionsRefused: 1, failedConnect: 1 });
    await fixture.stop();
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
