// Another configuration for a listener that goes on listening: good ones count for new connections, bad ones for nobody,
// and whoever is there stays.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as tlsConnect } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { createListener, isSameSocket, type Listener, type ListenerConfig, type TlsConfig } from "../../src/index.ts";
import { Authority, type Issued } from "../certificates.ts";
import { closing, echo, gather, recording, until } from "../support.ts";

const HOST = "127.0.0.1";
const PROXY_LINE = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
let root: Authority;
let server: Issued;
let other: Issued;
let device: Issued;
let folder: string;
beforeAll(async () => {
  root = await Authority.root("CN=Root");
  server = await root.issue({ name: "CN=localhost" });
  other = await root.issue({ name: "CN=other" });
  device = await root.issue({ name: "CN=device" });
  folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const listeners: Listener[] = [];
const sockets: { destroy(): void }[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const listener of listeners.splice(0)) await listener.close();
});

type Type = ListenerConfig["type"];
const TYPES: readonly Type[] = ["tcp", "unix", "tls", "ws", "wss"];
const readBuffer = { bytes: Buffer.alloc(65_536), start: 0, length: 65_536 };

function config(type: Type, more: object = {}, tls: Partial<TlsConfig> = {}): ListenerConfig {
  const secure = type === "tls" || type === "wss" ? { tls: { certificates: [server], watchInterval: 0, ...tls } } : {};
  const place = type === "unix" ? { path: join(folder, "socket") } : { host: HOST, port: 0 };
  return { type, ...place, ...secure, ...more } as ListenerConfig;
}

async function listen(given: ListenerConfig, accept = echo, onError = (_error: Error): void => {}): Promise<Listener> {
  const listener = createListener(given, accept, { readBuffer, onError });
  await listener.listen();
  listeners.push(listener);
  return listener;
}

/** A client that can be asked whether it is served. */
interface Client {
  isServed(): Promise<boolean>;
}

async function client(listener: Listener, type: Type, secure: ConnectionOptions = {}, head = ""): Promise<Client> {
  if (type === "ws" || type === "wss") {
    const url = `${type}://${HOST}:${listener.port}/mqtt`;
    const socket = new WebSocket(url, ["mqtt"], { rejectUnauthorized: false, ...secure });
    socket.on("error", () => {});
    sockets.push({ destroy: () => socket.terminate() });
    let got = 0;
    socket.on("message", () => {
      got += 1;
    });
    await new Promise((resolve) => socket.once("open", resolve).once("close", resolve));
    return {
      async isServed() {
        const before = got;
        if (socket.readyState !== socket.OPEN) return false;
        socket.send(Buffer.from("x"));
        await until(() => got > before || socket.readyState === socket.CLOSED);
        return got > before;
      },
    };
  }
  const address = type === "unix" ? { path: join(folder, "socket") } : { port: listener.port!, host: HOST };
  const raw = connect(address);
  raw.on("error", () => {});
  if (head !== "") raw.write(head);
  const socket: Socket =
    type === "tls" ? tlsConnect({ socket: raw, rejectUnauthorized: false, ...secure }).on("error", () => {}) : raw;
  sockets.push(socket);
  const got = gather(socket);
  let closed = false;
  socket.on("close", () => {
    closed = true;
  });
  return {
    async isServed() {
      const before = got.size;
      socket.write("x");
      await until(() => closed || got.size > before);
      return got.size > before;
    },
  };
}

describe.each(TYPES)("%s", (type) => {
  test("who is there stays, also when it changes many times; who comes is served", async () => {
    const listener = await listen(config(type));
    const before = await client(listener, type);
    expect(await before.isServed()).toBe(true);
    for (let times = 0; times < 3; times++) {
      const more = type === "tcp" || type === "unix" ? { rawTcp: times === 1 } : {};
      (await listener.prepare(config(type, { lingerTimeout: 100 + times, tcpKeepAliveDelay: 60_000, ...more })))();
      expect(await (await client(listener, type)).isServed()).toBe(true);
    }
    (await listener.prepare(config(type)))();
    expect(await (await client(listener, type)).isServed()).toBe(true);
    expect(await before.isServed()).toBe(true);
    await until(() => listener.connections === 5);
  });

  test("nothing has changed before it is put in force", async () => {
    const listener = await listen(config(type));
    const proxyProtocol = { trusted: [HOST] };
    const commit = await listener.prepare(config(type, { proxyProtocol }));
    expect(await (await client(listener, type)).isServed()).toBe(true);
    commit();
    if (type === "tcp" || type === "tls")
      expect(await (await client(listener, type, {}, PROXY_LINE)).isServed()).toBe(true);
    if (type !== "tls" && type !== "wss") expect(await (await client(listener, type)).isServed()).toBe(false);
  });

  test("one that is bad is refused, and everything is as before", async () => {
    const listener = await listen(config(type));
    const before = await client(listener, type);
    const bad = [
      config(type, { proxyProtocol: { trusted: ["nonsense"] } }),
      config(type, type === "unix" ? { path: "/elsewhere" } : { port: 1 }),
      config(type === "tcp" ? "ws" : "tcp"),
    ];
    if (type === "tls" || type === "wss") {
      bad.push(config(type, {}, { ciphers: "NONSENSE" }), config(type, {}, { requireCertificate: true }));
      bad.push(config(type, {}, { certificates: [{ cert: server.cert, key: other.key }] }));
      bad.push(config(type, {}, { ca: join(folder, "missing.pem") }));
    }
    if (type === "ws" || type === "wss") bad.push(config(type, { websocket: { trustedProxies: ["nonsense"] } }));
    for (const one of bad) await expect(listener.prepare(one)).rejects.toMatchObject({ name: "ListenerError" });
    expect(await before.isServed()).toBe(true);
    expect(await (await client(listener, type)).isServed()).toBe(true);
  });
});

describe.each(["tls", "wss"] as const)("%s", (type) => {
  test("whether certificates are asked for, by whom they may be signed, and which one is shown", async () => {
    const listener = await listen(config(type));
    const withOne = { cert: device.cert, key: device.key };
    const before = await client(listener, type);
    expect(await before.isServed()).toBe(true);
    (await listener.prepare(config(type, {}, { requireCertificate: true, ca: root.cert })))();
    expect(await (await client(listener, type)).isServed()).toBe(false);
    expect(await (await client(listener, type, withOne)).isServed()).toBe(true);
    const elsewhere = await Authority.root("CN=Elsewhere");
    (await listener.prepare(config(type, {}, { requireCertificate: true, ca: elsewhere.cert })))();
    expect(await (await client(listener, type, withOne)).isServed()).toBe(false);
    (await listener.prepare(config(type, {}, { certificates: [other] })))();
    const probe = tlsConnect({ port: listener.port!, host: HOST, rejectUnauthorized: false });
    await once(probe, "secureConnect");
    expect(probe.getPeerCertificate().subject.CN).toBe("other");
    probe.destroy();
    expect(await before.isServed()).toBe(true);
  });

  test("a handshake that is under way ends with what it began with", async () => {
    const listener = await listen(config(type));
    const raw = connect(listener.port!, HOST);
    await once(raw, "connect");
    // The server has to have it; nobody tells when.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    (await listener.prepare(config(type, {}, { certificates: [other] })))();
    const socket = tlsConnect({ socket: raw, rejectUnauthorized: false });
    sockets.push(socket);
    await once(socket, "secureConnect");
    expect(socket.getPeerCertificate().subject.CN).toBe("localhost");
  });
});

test.each(["ws", "wss"] as const)("%s: path and origins", async (type) => {
  const listener = await listen(config(type));
  const before = await client(listener, type);
  (await listener.prepare(config(type, { websocket: { path: "/other" } })))();
  expect(await (await client(listener, type)).isServed()).toBe(false);
  (await listener.prepare(config(type, { websocket: { path: ["/other", "/mqtt"] } })))();
  expect(await (await client(listener, type)).isServed()).toBe(true);
  expect(await before.isServed()).toBe(true);
});

test("who owes a PROXY header when it changes is still waited for, and ended with the listener", async () => {
  const proxyProtocol = { trusted: [HOST] };
  const made = recording();
  const listener = await listen(config("tcp", { proxyProtocol }), made.accept);
  const [late, silent] = [connect(listener.port!, HOST), connect(listener.port!, HOST)];
  for (const socket of [late, silent]) {
    socket.on("error", () => {}).resume();
    await once(socket, "connect");
  }
  await until(() => listener.connections === 2);
  (await listener.prepare(config("tcp")))();
  late.write(PROXY_LINE);
  expect((await made.next()).connection.info.remoteAddress).toBe("192.0.2.1");
  await Promise.all([closing(silent), listener.close()]);
  late.destroy();
});

test("a listener that does not listen, or no more, changes nothing", async () => {
  for (const type of TYPES) {
    const listener = createListener(config(type), echo);
    await listener.prepare(config(type)).then(
      (commit) => commit(),
      () => {},
    );
    await listener.listen();
    const commit = await listener.prepare(config(type));
    await listener.close();
    commit();
  }
});

test("what makes another socket", () => {
  const one = config("tcp");
  expect(isSameSocket(one, { ...config("tcp"), lingerTimeout: 5 } as ListenerConfig)).toBe(true);
  for (const more of [{ port: 1 }, { host: "::1" }, { backlog: 5 }, { ipv6Only: true }, { type: "ws" }]) {
    expect(isSameSocket(one, { ...one, ...more } as ListenerConfig)).toBe(false);
  }
  expect(isSameSocket(config("unix"), { ...config("unix"), mode: 0o600 } as ListenerConfig)).toBe(false);
  const web = config("ws", { websocket: { path: "/a" } });
  expect(isSameSocket(web, config("ws", { websocket: { path: "/b" } }))).toBe(true);
});
