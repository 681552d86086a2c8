// What raw TLS does around the handshake; what connections do afterwards is in tls.test.ts, for both ways.
import { once } from "node:events";
import { connect as plain, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { createListener, type Listener, type ListenerContext, type TlsListenerConfig } from "../../src/index.ts";
import { Authority, type Issued } from "../certificates.ts";
import { closing, echo, gather, recording, until } from "../support.ts";

let server: Issued;
beforeAll(async () => {
  server = await (await Authority.root("CN=Root")).issue({ name: "CN=localhost" });
});

const listeners: Listener[] = [];
const sockets: (Socket | TLSSocket)[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const listener of listeners.splice(0)) await listener.close();
});

const readBuffer = { bytes: new Uint8Array(65_536), start: 0, length: 65_536 };

async function listen(
  context: ListenerContext = {},
  config: Partial<TlsListenerConfig> = {},
  accept = echo,
): Promise<Listener & { readonly errors: readonly Error[] }> {
  const errors: Error[] = [];
  const { tls, ...more } = config;
  const listener = createListener(
    { type: "tls", host: "127.0.0.1", port: 0, ...more, tls: { certificates: [server], watchInterval: 0, ...tls } },
    accept,
    { readBuffer, onError: (error) => errors.push(error), ...context },
  );
  await listener.listen();
  listeners.push(listener);
  return Object.assign(listener, { errors });
}

function kept<S extends Socket>(socket: S): S {
  socket.on("error", () => {});
  sockets.push(socket);
  return socket;
}

const dial = (listener: Listener, options: object = {}): TLSSocket =>
  kept(connect({ port: listener.port!, host: "127.0.0.1", rejectUnauthorized: false, ...options }));
const dialPlain = (listener: Listener): Socket => kept(plain(listener.port!, "127.0.0.1"));

describe("a handshake that comes to nothing", () => {
  test("not done in time: said in a line, and the connection is closed", async () => {
    const listener = await listen({}, { tls: { certificates: [server], handshakeTimeout: 20 } });
    const socket = dialPlain(listener);
    socket.resume();
    await closing(socket);
    expect(listener.errors.map(({ message }) => message)).toEqual([
      "TLS handshake with 127.0.0.1 failed: not done in time",
    ]);
  });

  test("the client leaves, before it has said anything and in the middle", async () => {
    const listener = await listen();
    for (const bytes of ["", "\x16\x03\x01\x02\x00\x01\x00"]) {
      const socket = dialPlain(listener);
      await once(socket, "connect");
      const before = listener.errors.length;
      socket.end(bytes, "latin1");
      await until(() => listener.errors.length > before);
      expect(listener.errors.at(-1)?.message).toBe("TLS handshake with 127.0.0.1 failed: the client has left");
    }
    expect(listener.connections).toBe(0);
  });

  test("the client speaks something else", async () => {
    const listener = await listen();
    const socket = dialPlain(listener);
    socket.resume();
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await closing(socket);
    expect(listener.errors.at(-1)?.message).toBe(
      "TLS handshake with 127.0.0.1 failed: the client speaks HTTP without TLS",
    );
  });

  test("the two have no version in common: the client gets the alert", async () => {
    const listener = await listen({}, { tls: { certificates: [server], minVersion: "TLSv1.3" } });
    const socket = dial(listener, { maxVersion: "TLSv1.2" });
    const errors: Error[] = [];
    socket.on("error", (error) => errors.push(error));
    await closing(socket);
    expect(errors).toMatchObject([{ code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" }]);
    await until(() => listener.errors.length === 1);
  });

  test("close() ends it, and nothing is said", async () => {
    const listener = await listen();
    const socket = dialPlain(listener);
    await once(socket, "connect");
    // Another one is through: so the first has been accepted.
    await once(dial(listener), "secureConnect");
    await listener.close();
    socket.resume();
    await closing(socket);
    expect(listener.errors).toEqual([]);
  });
});

test("who is not admitted is closed before a handshake", async () => {
  const asked: string[] = [];
  const admits = ({ remoteAddress }: { remoteAddress: string }): boolean => {
    asked.push(remoteAddress);
    return false;
  };
  const listener = await listen({ admits });
  const socket = dialPlain(listener);
  socket.resume();
  await closing(socket);
  expect(asked).toEqual(["127.0.0.1"]);
});

test("what `accept` refuses is closed", async () => {
  const listener = await listen({}, {}, () => undefined);
  const socket = dial(listener);
  socket.resume();
  await closing(socket);
  await until(() => listener.connections === 0);
});

test("clients of a trusted proxy have sockets, the others have none", async () => {
  const made = recording();
  const listener = await listen({}, { proxyProtocol: { trusted: ["127.0.0.1"] } }, made.accept);
  const below = dialPlain(listener);
  below.write("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
  const socket = kept(connect({ socket: below, rejectUnauthorized: false }));
  socket.write("x");
  expect((await made.next()).connection.info).toMatchObject({ remoteAddress: "192.0.2.1", transport: "tls" });
});

test("ALPN: the name that both know", async () => {
  const listener = await listen({}, { tls: { certificates: [server], alpn: ["x", "mqtt"] } });
  const socket = dial(listener, { ALPNProtocols: ["mqtt"] });
  await once(socket, "secureConnect");
  expect(socket.alpnProtocol).toBe("mqtt");
});

test("a connection that is lost in the middle is closed with the reason", async () => {
  const made = recording();
  const listener = await listen({}, {}, made.accept);
  const below = dialPlain(listener);
  const socket = kept(connect({ socket: below, rejectUnauthorized: false }));
  await once(socket, "secureConnect");
  const recorder = await made.next();
  below.write("no record of TLS, and long enough to be looked at as one");
  await until(() => recorder.closes.length === 1);
  expect(recorder.closes[0]).toBeInstanceOf(Error);
  expect(listener.connections).toBe(0);
});

test("a client may repeat its handshake as often as with Node's sockets, and no more", async () => {
  const made = recording();
  const listener = await listen({}, {}, made.accept);
  const socket = dial(listener, { maxVersion: "TLSv1.2" });
  await once(socket, "secureConnect");
  const recorder = await made.next();
  const repeat = (): void => void (recorder.closes.length === 0 && socket.renegotiate({}, () => setImmediate(repeat)));
  repeat();
  await until(() => recorder.closes.length === 1);
  expect(recorder.closes[0]?.message).toBe("the client repeats its TLS handshake");
});

test("many connections, garbage collected between", async () => {
  const listener = await listen();
  const open = Array.from({ length: 200 }, () => dial(listener));
  const echoed = open.map(async (socket, index) => {
    const got = gather(socket);
    socket.write(`message ${index}`);
    await until(() => got.size >= `message ${index}`.length);
    return got.bytes().toString();
  });
  // Enough garbage for several collections: what nothing refers to would be gone.
  for (let i = 0; i < 200; i++) Array.from({ length: 10_000 }, (_, n) => ({ n }));
  expect(await Promise.all(echoed)).toEqual(open.map((_, index) => `message ${index}`));
  for (const socket of open) socket.destroy();
  await until(() => listener.connections === 0);
});
