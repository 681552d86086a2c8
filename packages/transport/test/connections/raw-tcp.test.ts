import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Accept, PlainConnection } from "../../src/connection.ts";
import { nodeInternals, takeHandles } from "../../src/connections/raw-handle.ts";
import { acceptRaw } from "../../src/connections/raw-tcp.ts";
import { createListener, type Listener } from "../../src/index.ts";
import { closing, dial, gather, pattern, recording, until } from "../support.ts";

const buffer = { bytes: new Uint8Array(70_000), start: 100, length: 65_536 };
const listeners: Listener[] = [];
const sockets: Socket[] = [];
const servers: Server[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  for (const listener of listeners.splice(0)) {
    await listener.close();
    await until(() => listener.connections === 0);
  }
});

async function listen(accept: Accept, config: { rawTcp?: boolean; lingerTimeout?: number } = {}): Promise<Listener> {
  const listener = createListener({ type: "tcp", port: 0, host: "127.0.0.1", ...config }, accept, {
    readBuffer: buffer,
  });
  await listener.listen();
  listeners.push(listener);
  return listener;
}
async function client(listener: Listener): Promise<Socket> {
  const socket = await dial(listener.port);
  socket.on("error", () => {});
  sockets.push(socket);
  return socket;
}
/** How often a server of Node has made a socket itself. */
async function serving(): Promise<{ server: Server; port: number; made: () => number }> {
  let made = 0;
  const server = createServer((socket) => {
    made += 1;
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  return { server, port: (server.address() as { port: number }).port, made: () => made };
}
const options = {
  transport: "tcp",
  buffer,
  lingerTimeout: 2000,
  keepAliveSeconds: 60,
  count: { connections: 0 },
} as const;

describe("where raw connections are possible", () => {
  test("on this Node they are, and no socket is made", async () => {
    const { server, port, made } = await serving();
    const opened: PlainConnection[] = [];
    const giveBack = acceptRaw(server, options, (connection) => opened.push(connection));
    expect(giveBack !== undefined).toBe(process.platform !== "win32");
    if (process.platform === "win32") return;
    await dial(port).then((socket) => sockets.push(socket));
    await until(() => opened.length === 1);
    expect(made()).toBe(0);
    opened[0]?.destroy();
    await until(() => options.count.connections === 0);
  });

  const binding = (process as unknown as { binding: (name: string) => Record<string, unknown> }).binding;
  const without =
    (name: string, key: string, value?: unknown) =>
    (asked: string): Record<string, unknown> => {
      const found = { ...binding(asked) };
      if (asked === name) found[key] = value;
      return found;
    };
  const missing: [string, (name: string) => Record<string, unknown>][] = [
    [
      "no bindings at all",
      () => {
        throw Object.assign(new Error("Access to this API has been restricted"), { code: "ERR_ACCESS_DENIED" });
      },
    ],
    ["no WriteWrap", without("stream_wrap", "WriteWrap")],
    ["no ShutdownWrap", without("stream_wrap", "ShutdownWrap")],
    ["no state", without("stream_wrap", "streamBaseState")],
    ["a state of another kind", without("stream_wrap", "streamBaseState", [0, 0, 0, 0])],
    ["no place of the read result", without("stream_wrap", "kReadBytesOrError")],
    ["a place outside the state", without("stream_wrap", "kLastWriteWasAsync", 99)],
    ["no TCP", without("tcp_wrap", "TCP")],
    ["a TCP with other methods", without("tcp_wrap", "TCP", class {})],
    ["no Pipe", without("pipe_wrap", "Pipe")],
  ];
  test.each(missing)("%s: none, and the listener serves with sockets", async (_name, fake) => {
    vi.spyOn(process as unknown as { binding: typeof binding }, "binding").mockImplementation(fake);
    expect(nodeInternals()).toBeUndefined();
    const server = recording();
    const socket = await client(await listen(server.accept));
    socket.write("hello");
    const recorder = await server.next();
    await until(() => recorder.size === 5);
  });

  test("another platform, another Node, WRENMQ_RAW_TCP=0: none", () => {
    const here = { platform: process.platform, node: process.versions.node };
    try {
      Object.defineProperty(process, "platform", { value: "win32" });
      expect(nodeInternals()).toBeUndefined();
    } finally {
      Object.defineProperty(process, "platform", { value: here.platform });
    }
    for (const node of ["18.20.0", "99.0.0"]) {
      vi.spyOn(process, "versions", "get").mockReturnValue({ ...process.versions, node });
      expect(nodeInternals()).toBeUndefined();
      vi.restoreAllMocks();
    }
    vi.stubEnv("WRENMQ_RAW_TCP", "0");
    expect(nodeInternals()).toBeUndefined();
  });

  test("a server without a handle keeps its way; errors of accepting stay the server's", async () => {
    expect(takeHandles(createServer(), options, () => {})).toBeUndefined();
    const { server } = await serving();
    expect(takeHandles(server, options, () => expect.unreachable())).toBeTypeOf("function");
    const { _handle: handle } = server as unknown as { _handle: { onconnection(status: number): void } };
    const failed = once(server, "error");
    handle.onconnection(-24);
    expect((await failed)[0]).toMatchObject({ code: "EMFILE", syscall: "accept" });
  });

  test("a server can have its handles back", async () => {
    const { server, port, made } = await serving();
    takeHandles(server, options, () => expect.unreachable())?.();
    await dial(port).then((socket) => sockets.push(socket));
    await until(() => made() === 1);
  });

  test("nothing is printed about it", () => {
    const call = 'process.binding("stream_wrap"); process.binding("tcp_wrap"); process.binding("pipe_wrap");';
    const run = spawnSync(process.execPath, ["-e", call], { encoding: "utf8", env: {} });
    expect(run).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });
});

// The two ways side by side in what tcp.test.ts does not look at.
describe.each([true, false])("rawTcp %s", (rawTcp) => {
  test.skipIf(!existsSync("/proc/self/fd"))("thousands of connections leave no file descriptor behind", async () => {
    const count = (): number => readdirSync("/proc/self/fd").length;
    const large = pattern(3_000_000);
    const server = recording();
    const listener = await listen(server.accept, { rawTcp });
    const ends: ((socket: Socket, index: number) => void)[] = [
      (socket) => void socket.end(),
      (socket) => void socket.resetAndDestroy(),
      (socket) => void socket.destroy(),
      (_socket, index) => server.made[index]?.connection.destroy(),
      (_socket, index) => server.made[index]?.connection.end(),
      (socket, index) => {
        // Loss with a write under way.
        server.made[index]?.connection.write(large);
        socket.pause().destroy();
      },
    ];
    const before = count();
    let done = 0;
    for (let round = 0; round < 40; round++) {
      const batch = await Promise.all(Array.from({ length: 60 }, () => dial(listener.port)));
      await until(() => server.made.length === done + batch.length);
      for (const socket of batch) socket.on("error", () => {}).resume();
      const closed = batch.map((socket) => closing(socket));
      for (const [index, socket] of batch.entries()) ends[index % ends.length]?.(socket, done + index);
      await Promise.all(closed);
      done += batch.length;
      await until(() => listener.connections === 0);
      expect(server.made.every((recorder) => recorder.closes.length === 1)).toBe(true);
    }
    await until(() => count() <= before);
  });

  test("a write to a client that has reset is an error of the connection, not of the caller", async () => {
    const server = recording();
    const listener = await listen(server.accept, { rawTcp });
    const socket = await client(listener);
    const recorder = await server.next();
    // Unread, the loss is found by writing.
    recorder.connection.pause();
    socket.resetAndDestroy();
    await closing(socket);
    while (recorder.closes.length === 0) {
      recorder.connection.write(Buffer.from("x"));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(recorder.closes).toEqual([
      expect.objectContaining({
        code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/),
        syscall: "write",
        errno: expect.any(Number),
        message: expect.stringMatching(/^write (EPIPE|ECONNRESET)$/),
      }),
    ]);
  });

  test("a reset is read as such", async () => {
    const server = recording();
    const listener = await listen(server.accept, { rawTcp });
    const socket = await client(listener);
    const recorder = await server.next();
    socket.resetAndDestroy();
    await until(() => recorder.closes.length > 0);
    expect(recorder.closes[0]).toMatchObject({
      code: "ECONNRESET",
      syscall: "read",
      errno: expect.any(Number),
      message: "read ECONNRESET",
    });
    expect(recorder.drains).toBe(0);
  });

  test("end() with a write under way sends it all first", async () => {
    const server = recording();
    const listener = await listen(server.accept, { rawTcp, lingerTimeout: 10_000 });
    const socket = await client(listener);
    socket.pause();
    const recorder = await server.next();
    const bytes = pattern(4_000_000, 5);
    expect(recorder.connection.write(bytes)).toBe(false);
    recorder.connection.end();
    expect(recorder.connection.write(bytes)).toBe(true);
    const got = gather(socket);
    socket.resume();
    await closing(socket);
    expect(got.bytes().equals(bytes)).toBe(true);
    await until(() => recorder.closes.length > 0);
    expect(recorder.closes).toEqual([undefined]);
    expect(recorder.drains).toBe(0);
  });

  test("a handler that throws reaches the process as an uncaught exception, and the others go on", async () => {
    const server = recording();
    let throwing = true;
    const listener = await listen(
      (connection) => {
        const handler = server.accept(connection);
        if (handler === undefined) return undefined;
        return {
          data(bytes, start, end) {
            if (throwing) throw new Error("boom");
            handler.data(bytes, start, end);
          },
          drain: () => handler.drain(),
          closed: (error) => handler.closed(error),
        };
      },
      { rawTcp },
    );
    const socket = await client(listener);
    const caught: unknown[] = [];
    const former = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => caught.push(error));
    try {
      socket.write("one");
      await until(() => caught.length > 0);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listening of former) process.on("uncaughtException", listening);
    }
    expect(caught).toEqual([expect.objectContaining({ message: "boom" })]);
    throwing = false;
    socket.write("two");
    const recorder = await server.next();
    await until(() => recorder.bytes.toString() === "two");
  });

  test("promises and nextTick callbacks of a handler run before the next event", async () => {
    const order: string[] = [];
    const listener = await listen(
      () => ({
        data(_bytes, start, end) {
          order.push(`data ${end - start}`);
          process.nextTick(() => order.push("tick"));
          queueMicrotask(() => order.push("microtask"));
          setImmediate(() => order.push("immediate"));
        },
        drain() {},
        closed() {},
      }),
      { rawTcp },
    );
    (await client(listener)).write("x");
    await until(() => order.includes("immediate"));
    expect(order).toEqual(["data 1", "tick", "microtask", "immediate"]);
  });

  test("info is the same object, and keeps what it has said when the client has gone", async () => {
    const server = recording();
    const listener = await listen(server.accept, { rawTcp });
    const socket = await client(listener);
    const { connection, closes } = await server.next();
    const { info } = connection;
    expect(connection.info).toBe(info);
    expect(info.remoteAddress).toBe("127.0.0.1");
    const port = socket.localPort;
    socket.destroy();
    await until(() => closes.length > 0);
    expect(info).toMatchObject({ remoteAddress: "127.0.0.1", remotePort: port });
    expect(info.localAddress).toBeUndefined();
    expect(info.localPort).toBeUndefined();
  });
});

test("raw: what the system takes at once is counted, and nothing is taken before what waits", async () => {
  const server = recording();
  const listener = await listen(server.accept);
  const socket = await client(listener);
  socket.pause();
  const recorder = await server.next();
  const { connection } = recorder;
  const bytes = pattern(16_000_000, 3);
  const tryWrite = (from: number, to: number): number => connection.tryWrite?.(bytes, from, to) ?? -1;
  let at = 0;
  for (let taken = 100_000; taken === 100_000; at += taken) {
    taken = tryWrite(at, at + 100_000);
    expect(taken).toBeGreaterThanOrEqual(0);
  }
  expect(at).toBeLessThan(bytes.length);
  expect(tryWrite(at, at)).toBe(0);
  expect(tryWrite(at, at + 1_000_000)).toBe(0);
  expect(connection.write(bytes.subarray(at))).toBe(false);
  const got = gather(socket);
  // There is room in between, but an earlier write comes first.
  socket.on("data", () => {
    if (recorder.drains === 0 && got.size < bytes.length) expect(tryWrite(0, 10)).toBe(0);
  });
  socket.resume();
  await until(() => recorder.drains === 1);
  expect(tryWrite(0, 10)).toBe(10);
  connection.end();
  expect(tryWrite(0, 10)).toBe(0);
  await closing(socket);
  expect(got.bytes().equals(Buffer.concat([bytes, bytes.subarray(0, 10)]))).toBe(true);
  await until(() => recorder.closes.length > 0);
  expect(tryWrite(0, 10)).toBe(0);
});

test("raw: a client that has reset takes nothing, and the loss is told", async () => {
  const server = recording();
  const listener = await listen(server.accept);
  const socket = await client(listener);
  const recorder = await server.next();
  socket.resetAndDestroy();
  await closing(socket);
  // Unread, the loss is found by writing.
  recorder.connection.pause();
  let taken = 1;
  while (recorder.closes.length === 0) {
    taken = recorder.connection.tryWrite?.(Buffer.from("x"), 0, 1) ?? -1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(taken).toBe(0);
  expect(recorder.closes).toEqual([
    expect.objectContaining({ code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/), syscall: "write" }),
  ]);
});

test("raw: who has gone before anybody asked has no address", async () => {
  const server = recording();
  const listener = await listen(server.accept);
  const socket = await client(listener);
  const { connection, closes } = await server.next();
  socket.destroy();
  await until(() => closes.length > 0);
  expect(connection.info).toMatchObject({ transport: "tcp", remoteAddress: "", remotePort: undefined });
});
