// The ways of a WebSocket client side by side: on a handle; on a socket, its request read by Node's HTTP server; on a TLS
// socket. The same bytes, cut anywhere, have the same outcome on each.
import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createListener, type Listener, type ListenerConfig } from "../../src/index.ts";
import { Authority } from "../certificates.ts";
import { closing, Recorder, readBuffer, until } from "../support.ts";
import { cut, cuts, frameStreams } from "./frames.ts";
import { requestLines, requestOf, usual } from "./requests.ts";

const HOST = "127.0.0.1";
/** Thousands of turns of the event loop, on a machine that may be busy. */
const TIME = { timeout: 120_000 };
const CONNACK = Uint8Array.of(0x20, 0x02, 0x00, 0x00);

class Way {
  readonly name: string;
  private readonly listener: Listener;
  private readonly made: Recorder[] = [];
  private errors: string[] = [];

  constructor(name: string, config: ListenerConfig) {
    this.name = name;
    const accept = (connection: Recorder["connection"]): Recorder => {
      const recorder = new Recorder(connection);
      this.made.push(recorder);
      connection.write(CONNACK);
      return recorder;
    };
    this.listener = createListener(config, accept, {
      readBuffer,
      onError: ({ message }) => this.errors.push(message.replace("TLS", "WebSocket")),
    });
  }

  listen(): Promise<void> {
    return this.listener.listen();
  }

  close(): Promise<void> {
    return this.listener.close();
  }

  /** Writes the pieces one after the other and half-closes. */
  async outcome(pieces: readonly Uint8Array[]): Promise<object> {
    const socket = await this.dial();
    const received: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => received.push(chunk)).on("error", () => {});
    const closed = closing(socket);
    for (const piece of pieces) {
      if (!socket.writable) break;
      socket.write(piece);
      // The bytes should arrive apart; nobody tells when they have, and the outcome must not depend on it.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
    await closed;
    await until(() => this.listener.connections === 0);
    const { errors } = this;
    const clients = this.made.splice(0).map(({ bytes, closes, connection: { info } }) => ({
      bytes: bytes.toString("hex"),
      closes: closes.map((error) => error?.message),
      address: info.remoteAddress,
      // Node's HTTP server may have more ways of saying the same.
      headers: Object.entries(info.headers ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    }));
    this.errors = [];
    const answer = Buffer.concat(received)
      .toString("latin1")
      .replace(/\r\nDate: .*/, "");
    return { answer, clients, errors };
  }

  private async dial(): Promise<Duplex> {
    const { address, port = 0 } = this.listener;
    const socket = connect(port ?? 0, HOST).on("error", () => {});
    if (!address.startsWith("wss")) {
      await once(socket, "connect");
      return socket;
    }
    const secure = tlsConnect({ socket, rejectUnauthorized: false });
    await once(secure, "secureConnect");
    return secure;
  }
}

let onHandle: Way;
let onSocket: Way;
let onTls: Way;
beforeAll(async () => {
  const root = await Authority.root("CN=Root");
  const tls = { certificates: [await root.issue({ name: "CN=localhost" })] };
  const websocket = {
    path: ["/mqtt", "/"],
    origins: ["https://good.example"],
    trustedProxies: [HOST, "198.51.100.7"],
    maxPayload: 1500,
  };
  const common = { host: HOST, port: 0, websocket };
  onHandle = new Way("on a handle", { type: "ws", ...common, rawTcp: true });
  onSocket = new Way("on a socket", { type: "ws", ...common, rawTcp: false });
  onTls = new Way("on a TLS socket", { type: "wss", ...common, tls });
  await Promise.all([onHandle, onSocket, onTls].map((way) => way.listen()));
});
afterAll(() => Promise.all([onHandle, onSocket, onTls].map((way) => way.close())));

/** Node's HTTP server gets every request that comes in pieces. */
const apart = (bytes: Buffer): Buffer[] => [bytes.subarray(0, 1), bytes.subarray(1)];

test("any request, cut anywhere, has the same answer on a handle and by Node's HTTP server", TIME, async () => {
  let accepted = 0;
  const more = fc.constantFrom(
    [],
    ["Origin: https://good.example"],
    ["Origin: https://evil.example"],
    ["X-Forwarded-For: 203.0.113.9, 198.51.100.7"],
    ["X-Forwarded-For: nonsense"],
    ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"],
  );
  const lines = fc.oneof(fc.constant(["GET /mqtt HTTP/1.1", ...usual]), { weight: 2, arbitrary: requestLines });
  const request = fc.tuple(lines, more).map(([most, others]) => requestOf([...most, ...others]));
  await fc.assert(
    fc.asyncProperty(request, cuts, async (bytes, places) => {
      const expected = await onSocket.outcome(apart(bytes));
      expect(await onHandle.outcome([bytes])).toEqual(expected);
      expect(await onHandle.outcome(cut(bytes, places))).toEqual(expected);
      if (JSON.stringify(expected).includes("101 Switching")) accepted++;
    }),
    { numRuns: 60 },
  );
  expect(accepted).toBeGreaterThan(5);
});

test("any frames, cut anywhere, have the same outcome on a handle, a socket and a TLS socket", TIME, async () => {
  const request = requestOf(["GET /mqtt HTTP/1.1", ...usual]);
  await fc.assert(
    fc.asyncProperty(frameStreams, cuts, fc.boolean(), async (frames, places, isAtOnce) => {
      const pieces = cut(frames, places);
      const expected = await onSocket.outcome([...apart(request), ...pieces]);
      // What follows the request at once is read as what comes later.
      const sent = isAtOnce ? [Buffer.concat([request, frames])] : [request, ...pieces];
      expect(await onHandle.outcome(sent)).toEqual(expected);
      expect(await onTls.outcome(sent)).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});
