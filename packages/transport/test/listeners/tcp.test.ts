import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import {
  type Accept,
  type Connection,
  createListener,
  type Listener,
  type ListenerContext,
  type TcpListenerConfig,
} from "../../src/index.ts";
import { closing, dial, echo, gather, pattern, recording, until } from "../support.ts";

const open: { listeners: Listener[]; sockets: Socket[] } = { listeners: [], sockets: [] };
afterEach(async () => {
  for (const socket of open.sockets.splice(0)) socket.destroy();
  for (const listener of open.listeners.splice(0)) {
    await listener.close();
    await until(() => listener.connections === 0);
  }
});

async function listenWith(
  accept: Accept,
  options: ListenerContext,
  config: Partial<TcpListenerConfig> = {},
): Promise<Listener> {
  const listener = createListener({ type: "tcp", port: 0, host: "127.0.0.1", ...config }, accept, options);
  await listener.listen();
  open.listeners.push(listener);
  return listener;
}
async function client(listener: Listener, host?: string): Promise<Socket> {
  const socket = await dial(listener.port, host);
  socket.on("error", () => {});
  open.sockets.push(socket);
  return socket;
}

const arena = new Uint8Array(100_000);
const readBuffer = { bytes: arena, start: 1000, length: 65_536 };
const ways: [string, ListenerContext, { rawTcp: boolean }][] = [
  ["a buffer per read", {}, { rawTcp: true }],
  ["sockets and one shared buffer", { readBuffer }, { rawTcp: false }],
  ["raw handles and one shared buffer", { readBuffer }, { rawTcp: true }],
];

describe.each(ways)("TCP with %s", (name, options, way) => {
  const listen: typeof listenWith = (accept, how, config) => listenWith(accept, how, { ...way, ...config });

  test("the read path is the one asked for", async () => {
    const seen: { bytes: Uint8Array; start: number }[] = [];
    const listener = await listen(
      () => ({ data: (bytes, start) => void seen.push({ bytes, start }), drain() {}, closed() {} }),
      options,
    );
    (await client(listener)).write("hello");
    await until(() => seen.length > 0);
    if (options.readBuffer !== undefined && process.platform !== "win32") {
      expect(seen[0]?.bytes === arena, name).toBe(true);
      expect(seen[0]?.start).toBe(1000);
    } else expect(seen[0]?.bytes).not.toBe(arena);
  });

  test("one connection that always has more to read does not keep the others waiting", async () => {
    const reads: string[] = [];
    let flooded: Connection | undefined;
    const listener = await listen((connection) => {
      let name: string | undefined;
      return {
        data(bytes, start) {
          name ??= String.fromCharCode(bytes[start] as number);
          reads.push(name);
          if (name !== "f") return;
          // The rest of what it sends gathers in the system first; then there is enough for many reads.
          if (flooded === undefined) connection.pause();
          else if (reads.length === 3) other.write("o");
          flooded = connection;
        },
        drain() {},
        closed() {},
      };
    }, options);
    const other = await client(listener);
    other.write("o");
    await until(() => reads.length === 1);
    const flooder = await client(listener);
    flooder.write("f");
    await until(() => flooded !== undefined);
    flooder.write(new Uint8Array(8_000_000));
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    flooded?.resume();
    await until(() => reads.lastIndexOf("o") > 0);
    expect(reads.lastIndexOf("o")).toBeLessThan(8);
  });

  describe("MQTT 5.0", () => {
    test("[MQTT-4.2-1] echo keeps order and loses nothing, at every size", async () => {
      const listener = await listen(echo, options);
      const socket = await client(listener);
      const got = gather(socket);
      let sent = 0;
      const all: Buffer[] = [];
      for (const size of [1, 2, 3, 127, 128, 1000, 16_383, 16_384, 65_535, 65_536, 65_537, 200_000, 3_000_000]) {
        const bytes = pattern(size, size);
        all.push(bytes);
        socket.write(bytes);
        sent += size;
        await until(() => got.size >= sent);
      }
      expect(got.bytes().equals(Buffer.concat(all))).toBe(true);
    });
  });

  test("bytes that come one at a time, on many connections at once, do not mix", async () => {
    const server = recording();
    const listener = await listen(server.accept, options);
    const sockets = await Promise.all(Array.from({ length: 8 }, () => client(listener)));
    for (const [i, socket] of sockets.entries()) socket.setNoDelay(true).write(Buffer.of(i));
    await until(() => server.made.length === 8 && server.made.every((recorder) => recorder.size > 0));
    for (let n = 0; n < 50; n++) {
      for (const [i, socket] of sockets.entries()) socket.write(Buffer.of(i));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => server.made.every((recorder) => recorder.size === 51));
    const firsts = server.made.map((recorder) => {
      expect(new Set(recorder.bytes).size).toBe(1);
      return recorder.bytes[0];
    });
    expect(firsts.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("a client that does not read: write answers false, drain comes once it reads, and all arrives", async () => {
    const server = recording();
    const listener = await listen(server.accept, options);
    const socket = await client(listener);
    socket.pause();
    const { connection, ...rest } = await server.next();
    void rest;
    const recorder = server.made[0]!;
    const block = pattern(256 * 1024, 7);
    let sent = 0;
    let taken = true;
    while (taken) {
      taken = connection.write(block);
      sent += block.length;
    }
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(recorder.drains).toBe(0);
    const got = gather(socket);
    socket.resume();
    await until(() => got.size === sent);
    await until(() => recorder.drains === 1);
    expect(connection.write(Buffer.from("!"))).toBe(true);
    await until(() => got.size === sent + 1);
    expect(recorder.drains).toBe(1);
  });

  test("pause stops a sender, resume lets it go on, nothing is lost", async () => {
    const server = recording();
    const listener = await listen(server.accept, options);
    const socket = await client(listener);
    const recorder = await server.next();
    recorder.connection.pause();
    const bytes = pattern(20_000_000, 3);
    socket.write(bytes);
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    const early = recorder.size;
    expect(early).toBeLessThan(200_000);
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(recorder.size).toBe(early);
    recorder.connection.resume();
    await until(() => recorder.size === bytes.length);
    expect(recorder.bytes.equals(bytes)).toBe(true);
  });

  test("end(): the last bytes reach a client that is still sending, then both sides close", async () => {
    const last = pattern(500_000, 9);
    const recorder = recording();
    const listener = await listen((connection) => {
      const handler = recorder.accept(connection)!;
      return {
        data(bytes, start, end) {
          const first = recorder.made[0]!.size === 0;
          handler.data(bytes, start, end);
          if (first) {
            connection.write(last);
            connection.end();
          }
        },
        drain: () => handler.drain(),
        closed: (error) => handler.closed(error),
      };
    }, options);
    const socket = await client(listener);
    const got = gather(socket);
    let flooding = true;
    const flood = (): void => {
      if (flooding && socket.write(pattern(65_536))) setImmediate(flood);
      else if (flooding) socket.once("drain", flood);
    };
    flood();
    await once(socket, "end");
    flooding = false;
    expect(got.bytes().equals(last)).toBe(true);
    const atEnd = recorder.made[0]!.size;
    socket.end();
    await until(() => recorder.made[0]!.closes.length > 0);
    expect(recorder.made[0]!.closes).toEqual([undefined]);
    expect(recorder.made[0]!.size).toBe(atEnd);
  });

  test("end() with a client that never closes gives up after the linger time", async () => {
    const server = recording();
    const listener = await listen(server.accept, options, { lingerTimeout: 30 });
    const socket = await dial(listener.port);
    socket.on("error", () => {});
    open.sockets.push(socket);
    socket.allowHalfOpen = true;
    const recorder = await server.next();
    recorder.connection.end();
    await until(() => recorder.closes.length > 0);
    expect(recorder.closes).toEqual([undefined]);
    expect(listener.connections).toBe(0);
  });

  test("a client that half-closes after its request still gets the answer of the same turn", async () => {
    const listener = await listen(
      (connection) => ({
        data: () => setImmediate(() => connection.write(Buffer.from("answer"))),
        drain() {},
        closed() {},
      }),
      options,
    );
    const socket = await client(listener);
    const got = gather(socket);
    socket.end("request");
    await closing(socket);
    expect(got.bytes().toString()).toBe("answer");
  });

  test("closed() comes once: clean close, reset, destroy", async () => {
    const server = recording();
    const listener = await listen(server.accept, options);
    const clean = await client(listener);
    const first = await server.next();
    expect(listener.connections).toBe(1);
    clean.end();
    await until(() => first.closes.length > 0);
    const reset = await client(listener);
    const second = await server.next();
    reset.resetAndDestroy();
    await until(() => second.closes.length > 0);
    await client(listener);
    const third = await server.next();
    third.connection.destroy();
    expect(third.closes).toEqual([]);
    third.connection.destroy();
    expect(third.connection.write(Buffer.from("x"))).toBe(true);
    third.connection.end();
    third.connection.pause();
    third.connection.resume();
    await until(() => third.closes.length > 0);
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(first.closes).toEqual([undefined]);
    expect(second.closes).toEqual([expect.objectContaining({ code: "ECONNRESET" })]);
    expect(third.closes).toEqual([undefined]);
    expect(listener.connections).toBe(0);
  });

  test("a refused connection is closed and not counted; so is one whose accept throws", async () => {
    const errors: Error[] = [];
    let refuse: () => undefined = () => undefined;
    const listener = await listen(() => refuse(), { ...options, onError: (error) => errors.push(error) });
    await closing(await client(listener));
    refuse = () => {
      throw new Error("boom");
    };
    await closing(await client(listener));
    await until(() => listener.connections === 0);
    expect(errors).toEqual([expect.objectContaining({ code: "ERR_LISTENER_ACCEPT" })]);
  });

  test("a handler may write a refusal and end() before accept returns", async () => {
    const server = recording();
    const listener = await listen((connection) => {
      connection.write(Buffer.from("no"));
      connection.end();
      return server.accept(connection);
    }, options);
    const socket = await client(listener);
    const got = gather(socket);
    await closing(socket);
    expect(got.bytes().toString()).toBe("no");
    await until(() => server.made[0]!.closes.length === 1);
  });

  test("close() keeps open connections and frees the port at once", async () => {
    const server = recording();
    const listener = await listen(server.accept, options);
    const socket = await client(listener);
    const recorder = await server.next();
    await listener.close();
    const second = createListener({ type: "tcp", host: "127.0.0.1", port: listener.port! }, server.accept, options);
    await second.listen();
    open.listeners.push(second);
    const got = gather(socket);
    recorder.connection.write(Buffer.from("still here"));
    await until(() => got.size === 10);
  });
});

describe.each([true, false])("TCP addresses, rawTcp %s", (rawTcp) => {
  test("info names both ends; IPv4 on a dual-stack listener looks like IPv4", async () => {
    const server = recording();
    const listener = createListener({ type: "tcp", port: 0, rawTcp }, server.accept, { readBuffer });
    await listener.listen();
    open.listeners.push(listener);
    const socket = await client(listener);
    const { info } = (await server.next()).connection;
    expect(info).toMatchObject({
      transport: "tcp",
      remoteAddress: "127.0.0.1",
      remotePort: socket.localPort,
      localAddress: "127.0.0.1",
      localPort: listener.port,
    });
    expect(listener.address).toBe(`mqtt://[::]:${listener.port}`);
  });

  test("IPv6", async (context) => {
    const server = recording();
    const listener = createListener({ type: "tcp", port: 0, host: "::1", rawTcp }, server.accept, { readBuffer });
    try {
      await listener.listen();
    } catch {
      context.skip("no IPv6 here");
    }
    open.listeners.push(listener);
    await client(listener, "::1");
    expect((await server.next()).connection.info.remoteAddress).toBe("::1");
    expect(listener.address).toBe(`mqtt://[::1]:${listener.port}`);
  });

  test("ids are unique", async () => {
    const server = recording();
    const listener = await listenWith(server.accept, { readBuffer }, { rawTcp });
    await client(listener);
    await client(listener);
    expect((await server.next()).connection.id).not.toBe((await server.next()).connection.id);
  });

  test("a taken port, a foreign address, a bad port: one clear line each", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const attempt = (host: string, at: number): Promise<void> =>
      createListener({ type: "tcp", host, port: at }, () => undefined).listen();
    await expect(attempt("127.0.0.1", port)).rejects.toMatchObject({
      code: "ERR_LISTENER_IN_USE",
      message: `mqtt://127.0.0.1:${port}: another process listens there already`,
      cause: { code: "EADDRINUSE" },
    });
    await expect(attempt("192.0.2.1", 0)).rejects.toMatchObject({ code: "ERR_LISTENER_ADDRESS" });
    await expect(attempt("127.0.0.1", 70_000)).rejects.toMatchObject({ code: "ERR_LISTENER_ADDRESS" });
    taken.close();
  });
});
