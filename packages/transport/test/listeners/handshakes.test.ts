// What comes before a connection is one: who is turned away, in which words, and what a closing listener leaves behind.
import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import WebSocket from "ws";
import {
  clientHasLeft,
  createListener,
  type Listener,
  type ListenerConfig,
  type ListenerContext,
} from "../../src/index.ts";
import { Authority, type Issued } from "../certificates.ts";
import { closing, echo, readBuffer, recording, until } from "../support.ts";

const HOST = "127.0.0.1";
const PROXY_LINE = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
const MQTT_CONNECT = Buffer.from("100d00044d5154540402003c000161", "hex");
/** The beginning of a ClientHello. */
const HALF_HELLO = Buffer.from("16030100a5010000a10303", "hex");
const LONG = 60_000;

let certificate: Issued;
beforeAll(async () => {
  const root = await Authority.root("CN=Root");
  certificate = await root.issue({ name: "CN=localhost" });
});

const listeners: Listener[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const listener of listeners.splice(0)) await listener.close();
});

/** The ways of a WebSocket client: on a handle, or on a socket. */
let rawTcp = true;

type Type = "tls" | "ws" | "wss";
function config(type: Type, behindProxy = false, handshakeTimeout = LONG): ListenerConfig {
  const proxyProtocol = { trusted: [HOST], timeout: LONG };
  const common = { host: HOST, port: 0, ...(behindProxy ? { proxyProtocol } : {}) };
  const tls = { certificates: [certificate], handshakeTimeout };
  const websocket = { handshakeTimeout };
  if (type === "tls") return { type, ...common, tls };
  return type === "ws" ? { type, ...common, websocket, rawTcp } : { type, ...common, websocket, tls };
}

async function listen(given: ListenerConfig, accept = echo, options: ListenerContext = {}): Promise<Listener> {
  const listener = createListener(given, accept, { readBuffer, ...options });
  await listener.listen();
  listeners.push(listener);
  return listener;
}

async function client(listener: Listener, bytes: string | Uint8Array = ""): Promise<Socket> {
  const socket = connect(listener.port!, HOST);
  socket.on("error", () => {});
  sockets.push(socket);
  await once(socket, "connect");
  if (bytes.length > 0) socket.write(bytes);
  return socket;
}

/** What the listener says of a client that sends these bytes, and perhaps no more. */
async function trouble(given: ListenerConfig, bytes: string | Uint8Array, andLeaves = false): Promise<string> {
  const errors: Error[] = [];
  const made = recording();
  const listener = await listen(given, made.accept, { onError: (error) => errors.push(error) });
  const socket = await client(listener, bytes);
  socket.resume();
  if (andLeaves) socket.end();
  await closing(socket);
  await until(() => errors.length > 0);
  expect(errors).toEqual([expect.objectContaining({ code: "ERR_LISTENER_HANDSHAKE" })]);
  expect(made.made).toEqual([]);
  return errors[0]?.message ?? "";
}

describe.each([true, false])("rawTcp %s", (isRaw) => {
  beforeEach(() => {
    rawTcp = isRaw;
  });
  describe("a handshake that comes to nothing is told in a line", () => {
    test.each(["tls", "wss"] as const)("%s: what the client speaks instead", async (type) => {
      expect(await trouble(config(type), MQTT_CONNECT)).toBe(
        "TLS handshake with 127.0.0.1 failed: the client does not speak TLS",
      );
      expect(await trouble(config(type), "GET / HTTP/1.1\r\n\r\n")).toBe(
        "TLS handshake with 127.0.0.1 failed: the client speaks HTTP without TLS",
      );
      expect(await trouble(config(type), Buffer.from("1603010005ff00000100", "hex"))).toMatch(
        /^TLS handshake with 127\.0\.0\.1 failed: [a-z -]+$/,
      );
    });

    test.each(["tls", "wss"] as const)("%s: who is too slow, and who stops in the middle", async (type) => {
      expect(await trouble(config(type, false, 30), HALF_HELLO)).toBe(
        "TLS handshake with 127.0.0.1 failed: not done in time",
      );
      // At once, not after the time that handshakes may take.
      expect(await trouble(config(type), HALF_HELLO, true)).toBe(
        "TLS handshake with 127.0.0.1 failed: the client has left",
      );
    });

    test.each(["ws", "wss"] as const)("%s: who leaves in the middle of the request", async (type) => {
      for (const how of ["end", "reset"] as const) {
        const errors: Error[] = [];
        const listener = await listen(config(type), echo, { onError: (error) => errors.push(error) });
        const raw = await client(listener);
        const socket =
          type === "ws" ? raw : tlsConnect({ socket: raw, rejectUnauthorized: false }).on("error", () => {});
        socket.write("GET / HTTP/1.1\r\nHost: x\r\n");
        // The bytes have to arrive; nobody tells when they have.
        for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
        if (how === "end") socket.end();
        else raw.resetAndDestroy();
        await until(() => errors.length > 0);
        expect(errors.map(({ message }) => message)).toEqual([
          expect.stringMatching(/^(WebSocket|TLS) handshake with 127\.0\.0\.1 failed: the client has left$/),
        ]);
        expect(errors.every(clientHasLeft)).toBe(true);
      }
    });

    test("behind a proxy it is the client's address", async () => {
      expect(await trouble(config("tls", true), PROXY_LINE + MQTT_CONNECT.toString("latin1"))).toContain("192.0.2.1");
      expect(await trouble(config("ws", true), `${PROXY_LINE}nonsense\r\n\r\n`)).toContain("192.0.2.1");
    });

    test("ws: what is no request", async () => {
      expect(await trouble(config("ws"), MQTT_CONNECT)).toMatch(
        /^WebSocket handshake with 127\.0\.0\.1 failed: no HTTP: /,
      );
      expect(await trouble(config("ws"), HALF_HELLO)).toBe(
        "WebSocket handshake with 127.0.0.1 failed: the client speaks TLS",
      );
      expect(await trouble(config("ws"), `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`)).toContain("too large");
      expect(await trouble(config("ws", false, 30), "GET / HTTP/1.1\r\n")).toContain("no request in time");
    });

    test("ws: a request that is refused", async () => {
      const websocket = { path: "/mqtt", origins: ["https://good.example"] };
      const errors: Error[] = [];
      const listener = await listen({ type: "ws", host: HOST, port: 0, websocket, rawTcp }, echo, {
        onError: (error) => errors.push(error),
      });
      const refused = async (path: string, protocol: string, headers: Record<string, string> = {}): Promise<void> => {
        const socket = new WebSocket(`ws://127.0.0.1:${listener.port}${path}`, [protocol], { headers });
        socket.on("error", () => {});
        await once(socket, "unexpected-response");
        socket.terminate();
      };
      await refused("/other", "mqtt");
      await refused("/mqtt", "chat");
      await refused("/mqtt", "mqtt", { Origin: "https://evil.example" });
      const headers = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Protocol": "mqtt" };
      const [response] = (await once(
        request({ host: HOST, port: listener.port, path: "/mqtt", headers }).end(),
        "response",
      )) as [{ statusCode: number; resume(): void }];
      response.resume();
      expect(response.statusCode).toBe(400);
      expect(errors.map(({ message }) => message.replace("WebSocket handshake with 127.0.0.1 failed: ", ""))).toEqual([
        "no MQTT at this path",
        "subprotocol must be mqtt or mqttv3.1",
        "origin not allowed",
        "the headers of the request are wrong",
      ]);
    });
  });

  test("ws behind a proxy: the time for the request counts there too", async () => {
    const listener = await listen(config("ws", true, 30));
    const silent = await client(listener, PROXY_LINE);
    silent.resume();
    await closing(silent);
  });

  describe("a listener that closes", () => {
    const cases: [string, () => ListenerConfig, string | Uint8Array][] = [
      ["tcp, PROXY header", () => ({ type: "tcp", host: HOST, port: 0, proxyProtocol: { trusted: [HOST] } }), "PROXY "],
      ["tls, PROXY header", () => config("tls", true), "PROXY "],
      ["tls, nothing said", () => config("tls"), ""],
      ["tls, half a hello", () => config("tls"), HALF_HELLO],
      ["ws, nothing said", () => config("ws"), ""],
      ["ws, half a request", () => config("ws"), "GET / HTTP/1.1\r\n"],
      ["ws, a PROXY header and half a request", () => config("ws", true), `${PROXY_LINE}GET / HTTP/1.1\r\n`],
      ["wss, half a hello", () => config("wss"), HALF_HELLO],
    ];

    test.each(cases)(
      "ends the handshakes that are under way, and is silent about it: %s",
      async (_name, given, bytes) => {
        const errors: Error[] = [];
        const listener = await listen(given(), echo, { onError: (error) => errors.push(error) });
        const socket = await client(listener, bytes);
        socket.resume();
        // The bytes have to arrive; nobody tells when they have.
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        await Promise.all([closing(socket), listener.close()]);
        expect(errors).toEqual([]);
      },
    );

    test.each(["tls", "ws", "wss"] as const)("%s: leaves connections alone", async (type) => {
      const made = recording();
      const listener = await listen(config(type), made.accept);
      const secure = { rejectUnauthorized: false };
      const stream =
        type === "tls"
          ? tlsConnect({ port: listener.port!, host: HOST, ...secure }).on("error", () => {})
          : new WebSocket(`${type}://127.0.0.1:${listener.port}/`, ["mqtt"], secure).on("error", () => {});
      await once(stream, type === "tls" ? "secureConnect" : "open");
      const recorder = await made.next();
      await listener.close();
      if (stream instanceof WebSocket) stream.send(Buffer.from("still here"));
      else stream.write("still here");
      await until(() => recorder.size === 10);
      recorder.connection.destroy();
      await until(() => listener.connections === 0);
    });
  });

  describe("who is not admitted", () => {
    test.each(["tls", "ws", "wss"] as const)("%s: is turned away before the handshake", async (type) => {
      const asked: string[] = [];
      const errors: Error[] = [];
      const made = recording();
      const listener = await listen(config(type), made.accept, {
        admits: ({ remoteAddress }) => asked.push(remoteAddress) > 1,
        onError: (error) => errors.push(error),
      });
      const socket = await client(listener);
      let received = 0;
      socket.on("data", (bytes: Buffer) => {
        received += bytes.length;
      });
      await closing(socket);
      expect([asked, received, errors]).toEqual([[HOST], 0, []]);
      const secure = { rejectUnauthorized: false };
      if (type === "tls") tlsConnect({ port: listener.port!, host: HOST, ...secure }).on("error", () => {});
      else new WebSocket(`${type}://127.0.0.1:${listener.port}/`, ["mqtt"], secure).on("error", () => {});
      const recorder = await made.next();
      expect(asked).toEqual([HOST, HOST]);
      recorder.connection.destroy();
    });

    test.each(["tcp", "tls", "ws"] as const)(
      "%s behind a proxy: the client is asked for, not the proxy",
      async (type) => {
        const asked: string[] = [];
        const given: ListenerConfig =
          type === "tcp" ? { type, host: HOST, port: 0, proxyProtocol: { trusted: [HOST] } } : config(type, true);
        const listener = await listen(given, echo, {
          admits: ({ remoteAddress }) => asked.push(remoteAddress) === 0,
        });
        const socket = await client(listener, PROXY_LINE);
        socket.resume();
        await closing(socket);
        expect(asked).toEqual(["192.0.2.1"]);
      },
    );

    test("ws behind a proxy that says it in the request: then", async () => {
      const asked: string[] = [];
      const websocket = { trustedProxies: [HOST] };
      const listener = await listen({ type: "ws", host: HOST, port: 0, websocket, rawTcp }, echo, {
        admits: ({ remoteAddress }) => asked.push(remoteAddress) === 0,
      });
      const headers = { "X-Forwarded-For": "2001:DB8:0::1" };
      const socket = new WebSocket(`ws://127.0.0.1:${listener.port}/`, ["mqtt"], { headers });
      socket.on("error", () => {});
      await closing(socket);
      expect(asked).toEqual(["2001:db8::1"]);
    });
  });
});
