// A broker that is told nothing: it listens where aMQTT's does, on this machine alone.

import { duplexPair } from "node:stream";
import { fromDuplex } from "@wrenmq/transport";
import { describe, expect, onTestFinished, test } from "vitest";
import { Broker, createBroker } from "../../src/index.ts";
import { settle } from "../../src/settings/settle.ts";
import { dialTcp, MemoryLogger, pluginOf, RawClient, RealPace } from "../support.ts";

const open = pluginOf("open", { authenticate: () => true });

describe("a broker without options", () => {
  test("listens on port 1883 of the loopback addresses and lets in who is on this machine", () => {
    const { listeners, plugins } = settle({});
    expect(listeners).toEqual({ default: { type: "tcp", host: "localhost", port: 1883 } });
    expect(plugins.map(({ name }) => name)).toEqual(["this-machine-only"]);
  });

  test("with plugins it listens there too, and they alone decide", () => {
    expect(Object.keys(settle({ plugins: [open] }).listeners)).toEqual(["default"]);
    expect(settle({ plugins: [open] }).plugins).toEqual([open]);
    expect(settle({ plugins: [] }).plugins).toEqual([]);
  });

  test("with listeners nobody is let in unless a plugin says so; {} means none", () => {
    const listeners = { one: { type: "tcp", host: "127.0.0.1", port: 0 } } as const;
    expect(settle({ listeners }).plugins).toEqual([]);
    expect(settle({ listeners: {} })).toMatchObject({ listeners: {}, plugins: [] });
  });

  test("starts: on port 1883, or it says that somebody else has it", async () => {
    const logger = new MemoryLogger();
    await using broker = new Broker({ logger });
    const failure = await broker.start().catch((error: unknown) => error);
    if (failure !== undefined) {
      expect(failure).toMatchObject({ code: "ERR_LISTENER_IN_USE" });
      return;
    }
    expect(broker.addresses.get("default")).toBe("mqtt://localhost:1883");
    const said = logger.lines.filter(({ level }) => level === "info");
    expect(said[0]).toMatchObject({ message: "listening", fields: { authenticators: ["this-machine-only"] } });
    expect(said[1]?.message).toMatch(/clients of this machine may connect/);
  });
});

describe("localhost", () => {
  test.each(["127.0.0.1", "::1"])("is %s too", async (host) => {
    await using broker = createBroker({ sys: { intervalSeconds: 0 }, plugins: [open], listeners: { local } });
    await broker.start();
    const port = broker.port("local") as number;
    const dialed = await dialTcp(host, port).catch((error: { code?: string }) => error.code);
    if (host === "::1" && (dialed === "EADDRNOTAVAIL" || dialed === "EAFNOSUPPORT")) return; // there is no IPv6 here
    if (typeof dialed !== "object") throw new Error(`not connected to ${host}: ${dialed}`);
    const client = new RawClient(dialed, 5, new RealPace());
    await client.connect({ clientId: "a" });
    expect([...broker.clients()].map(({ remoteAddress }) => remoteAddress)).toEqual([host]);
  });
  const local = { type: "tcp", host: "localhost", port: 0 } as const;
});

describe("without plugins", () => {
  async function ask(remoteAddress: string, username?: string): Promise<unknown> {
    // The plugin of `createBroker()`, on a port that nobody else has.
    const { plugins } = settle({});
    const broker = createBroker({ sys: { intervalSeconds: 0 }, plugins, listeners: { given: { type: "external" } } });
    await broker.start();
    onTestFinished(() => broker.shutdown());
    const [ours, theirs] = duplexPair();
    broker.accept(fromDuplex(theirs, { remoteAddress }), { listener: "given" });
    const client = new RawClient(fromDuplex(ours), 5, new RealPace());
    const name = username === undefined ? {} : { username };
    const { reasonCode } = await client.connect({ clientId: "a", ...name }).catch(() => ({ reasonCode: 0x87 }));
    const attributes = [...broker.clients()][0]?.attributes;
    return reasonCode === 0 ? attributes : reasonCode;
  }

  test.each(["127.0.0.1", "127.8.8.8", "::1"])("a client from %s may enter", async (address) => {
    expect(await ask(address)).toEqual({ anonymous: true });
    expect(await ask(address, "ada")).toEqual({});
  });

  test.each(["192.0.2.7", "2001:db8::1", "", "127.0.0.1.example"])("one from %j may not", async (address) => {
    expect(await ask(address)).toBe(0x87);
  });
});
