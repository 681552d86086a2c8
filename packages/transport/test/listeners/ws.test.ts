import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import WebSocket, { type ClientOptions } from "ws";
import { type Accept, createListener, type Listener, type WebSocketConfig } from "../../src/index.ts";
import { createWebSocketListener } from "../../src/listeners/ws.ts";
import { Authority, type Issued } from "../certificates.ts";
import { closing, echo, pattern, readBuffer, recording, until } from "../support.ts";

const listeners: Listener[] = [];
const clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  for (const listener of listeners.splice(0)) {
    await listener.close();
    await until(() => listener.connections === 0);
  }
});

/** The ways of a connection: on a handle, or on a socket (the plain twin). */
let rawTcp = true;

async function listen(accept: Accept, websocket: WebSocketConfig = {}, lingerTimeout = 2000): Promise<Listener> {
  const config = { type: "ws", host: "127.0.0.1", port: 0, lingerTimeout, websocket, rawTcp } as const;
  const listener = createListener(config, accept, { readBuffer });
  await listener.listen();
  listeners.push(listener);
  return listener;
}

function dial(listener: Listener, protocols: string[] = ["mqtt"], options: ClientOptions = {}, path = "/"): WebSocket {
  const client = new WebSocket(new URL(path, listener.address), protocols, options);
  client.on("error", () => {});
  clients.push(client);
  return client;
}

async function open(
  listener: Listener,
  protocols?: string[],
  options?: ClientOptions,
  path?: string,
): Promise<WebSocket> {
  const client = dial(listener, protocols, options, path);
  await once(client, "open");
  return client;
}

/** A PUBLISH of QoS 0 with a payload of this length. */
function publish(size: number): Buffer {
  const length = size + 3;
  const head = [0x30];
  for (let rest = length; ; rest >>>= 7) {
    head.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([...head, 0, 1, 0x74]), Buffer.alloc(size)]);
}

function handshake(): Buffer {
  const lines = [
    "GET / HTTP/1.1",
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: mqtt",
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}

/** A socket behind a handshake that it wrote itself. */
async function upgraded(listener: Listener): Promise<Socket> {
  const client = connect(listener.port!, "127.0.0.1");
  client.on("error", () => {});
  client.write(handshake());
  const [answer] = (await once(client, "data")) as [Buffer];
  // The example of RFC 6455.
  expect(answer.toString()).toContain("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
  return client;
}

/** The payload of the frames that a server sends. */
function gatherFrames(client: Socket): { size: number; payloads: Buffer[] } {
  const result = { size: 0, payloads: [] as Buffer[] };
  let rest = Buffer.alloc(0);
  client.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < 2) return;
      const short = rest.readUInt8(1);
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (rest.length < start) return;
      const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : rest.readUInt32BE(6);
      if (rest.length < start + length) return;
      result.payloads.push(rest.subarray(start, start + length));
      result.size += length;
      rest = rest.subarray(start + length);
    }
  });
  return result;
}

/** The HTTP status of a refused handshake. */
async function status(client: WebSocket): Promise<number | undefined> {
  const [, response] = (await once(client, "unexpected-response")) as [unknown, { statusCode?: number }];
  return response.statusCode;
}

function gather(client: WebSocket): { size: number; bytes(): Buffer; allBinary: boolean } {
  const chunks: Buffer[] = [];
  const result = { size: 0, allBinary: true, bytes: () => Buffer.concat(chunks) };
  client.on("message", (data: Buffer, isBinary) => {
    chunks.push(data);
    result.size += data.length;
    result.allBinary &&= isBinary;
  });
  return result;
}

describe.each([true, false])("rawTcp %s", (isRaw) => {
  beforeEach(() => {
    rawTcp = isRaw;
  });
  // These statements read the same, with the same numbers, in 3.1.1 and in 5.0.
  describe.each(["MQTT 3.1.1", "MQTT 5.0"])("%s", () => {
    test("[MQTT-6.0.0-1] a text frame closes the connection with 1003; answers are binary frames", async () => {
      const made = recording();
      const listener = await listen((connection) => {
        connection.write(Buffer.of(0x20, 0x02, 0x00, 0x00));
        return made.accept(connection);
      });
      const client = dial(listener);
      const got = gather(client);
      await once(client, "open");
      await until(() => got.size === 4);
      expect(got.allBinary).toBe(true);
      client.send("text");
      const [code] = (await once(client, "close")) as [number];
      expect(code).toBe(1003);
      const recorder = await made.next();
      await until(() => recorder.closes.length === 1);
      expect(recorder.size).toBe(0);
      expect(recorder.closes[0]?.message).toContain("a text frame");
    });

    test("[MQTT-6.0.0-2] frames hold parts of packets, or several, or are fragmented", async () => {
      const made = recording();
      const listener = await listen(made.accept);
      const client = await open(listener);
      const bytes = pattern(400);
      for (const byte of bytes.subarray(0, 100)) client.send(Buffer.of(byte));
      client.send(bytes.subarray(100, 300));
      client.send(bytes.subarray(300, 310), { fin: false });
      client.send(Buffer.alloc(0), { fin: false });
      client.send(bytes.subarray(310, 400), { fin: true });
      const recorder = await made.next();
      await until(() => recorder.size === 400);
      expect(recorder.bytes.equals(bytes)).toBe(true);
    });

    test("[MQTT-6.0.0-4] the subprotocol chosen is mqtt, whatever else is offered", async () => {
      const listener = await listen(echo);
      expect((await open(listener, ["mqttv3.1", "other", "mqtt"])).protocol).toBe("mqtt");
      expect((await open(listener, ["mqttv3.1"])).protocol).toBe("mqttv3.1");
      expect(await status(dial(listener, ["other"]))).toBe(400);
      expect(await status(dial(listener, []))).toBe(400);
    });
  });

  describe("WebSocket", () => {
    test("echo keeps order and loses nothing, at every size", async () => {
      const listener = await listen(echo);
      const client = await open(listener);
      const got = gather(client);
      const all: Buffer[] = [];
      let sent = 0;
      for (const size of [1, 125, 126, 127, 65_535, 65_536, 300_000, 1_048_576]) {
        all.push(pattern(size, size));
        sent += size;
        client.send(all.at(-1)!);
        await until(() => got.size === sent);
      }
      expect(got.bytes().equals(Buffer.concat(all))).toBe(true);
    });

    test("info: transport, addresses, headers; X-Forwarded-For only from proxies", async () => {
      const made = recording();
      const forged = { headers: { "x-forwarded-for": "203.0.113.9" } };
      const wary = await listen(made.accept);
      await open(wary, ["mqtt"], forged);
      const { info } = (await made.next()).connection;
      expect(info).toMatchObject({ transport: "ws", remoteAddress: "127.0.0.1" });
      expect(info.headers?.["x-forwarded-for"]).toBe("203.0.113.9");
      const trusting = await listen(made.accept, { trustedProxies: ["127.0.0.0/8", "10.0.0.1"] });
      const seen = async (header: string): Promise<string> => {
        await open(trusting, ["mqtt"], { headers: { "x-forwarded-for": header } });
        return (await made.next()).connection.info.remoteAddress;
      };
      expect(await seen("203.0.113.9")).toBe("203.0.113.9");
      expect(await seen("6.6.6.6, 203.0.113.9, 10.0.0.1")).toBe("203.0.113.9");
      expect(await seen("[2001:db8::1]:443")).toBe("2001:db8::1");
      expect(await seen("203.0.113.9:5000")).toBe("203.0.113.9");
      expect(await seen("203.0.113.9, nonsense")).toBe("127.0.0.1");
    });

    test("path and origin", async () => {
      const listener = await listen(echo, { path: ["/mqtt", "/ws"], origins: ["https://good.example"] });
      expect(listener.address).toBe(`ws://127.0.0.1:${listener.port}/mqtt`);
      await open(listener, ["mqtt"], {}, "/mqtt");
      await open(listener, ["mqtt"], { origin: "https://good.example" }, "/ws?x=1");
      expect(await status(dial(listener, ["mqtt"], { origin: "https://evil.example" }, "/mqtt"))).toBe(403);
      expect(await status(dial(listener, ["mqtt"], {}, "/other"))).toBe(404);
      const plain = request({ host: "127.0.0.1", port: listener.port, path: "/mqtt" }).end();
      const [response] = (await once(plain, "response")) as [{ statusCode: number; resume(): void }];
      response.resume();
      expect(response.statusCode).toBe(426);
    });

    test("a client that never sends its request is closed", async () => {
      const listener = await listen(echo, { handshakeTimeout: 30 });
      const silent = connect(listener.port!, "127.0.0.1");
      silent.resume();
      await closing(silent);
    });

    test("a bad proxy list is told before listening", () => {
      const config = { type: "ws" as const, port: 0, websocket: { trustedProxies: ["proxy"] } };
      expect(() => createListener(config, echo)).toThrow(expect.objectContaining({ code: "ERR_LISTENER_CONFIG" }));
    });

    test("many packets that are written at once are a message each, large ones among them", async () => {
      const listener = await listen((connection) => {
        connection.write(Buffer.concat(packets));
        connection.write(Buffer.concat(packets));
        return { data() {}, drain() {}, closed() {} };
      });
      const packets = [...Array.from({ length: 300 }, () => 3), 200_000, 1, 1].map((size) => publish(size));
      const client = dial(listener, ["mqtt"]);
      const sizes: number[] = [];
      client.on("message", (data: Buffer) => void sizes.push(data.length));
      await until(() => sizes.length === 2 * packets.length);
      const expected = packets.map(({ length }) => length);
      expect(sizes).toEqual([...expected, ...expected]);
    });

    test("a message of any length is handed on as it comes, and nothing of it is kept", async () => {
      const made = recording();
      const listener = await listen(made.accept);
      const client = await upgraded(listener);
      // The header of 2 GiB, and the beginning.
      client.write(Buffer.of(0x82, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0));
      const recorder = await made.next();
      for (let size = 1000; size <= 10_000; size += 1000) {
        client.write(pattern(1000, size));
        await until(() => recorder.size === size);
      }
      expect(recorder.bytes.subarray(0, 1000).equals(pattern(1000, 1000))).toBe(true);
      client.destroy();
      await until(() => recorder.closes.length === 1);
    });

    test("a ping is answered, in the middle of a message too", async () => {
      const listener = await listen(recording().accept);
      const client = await open(listener);
      client.send("a", { fin: false, binary: true });
      for (const payload of ["", "are you there?"]) {
        const answer = once(client, "pong");
        client.ping(payload);
        expect(String(((await answer) as [Buffer])[0])).toBe(payload);
      }
    });

    test("who sends pings and does not read the answers does not fill our memory", async () => {
      const made = recording();
      const listener = await listen(made.accept);
      const client = await upgraded(listener);
      client.pause();
      const ping = Buffer.concat([Buffer.of(0x89, 0xfd, 0, 0, 0, 0), Buffer.alloc(125)]);
      const pings = 200_000;
      const flood = Buffer.concat(Array.from({ length: 1000 }, () => ping));
      for (let sent = 0; sent < pings; sent += 1000) client.write(flood);
      client.write(Buffer.of(0x82, 0x81, 0, 0, 0, 0, 1));
      const recorder = await made.next();
      await until(() => recorder.size === 1);
      let answers = 0;
      client.on("data", (chunk: Buffer) => {
        answers += chunk.length;
      });
      client.resume();
      // The last one is answered again once there is room.
      client.write(Buffer.concat([Buffer.of(0x89, 0x84, 0, 0, 0, 0), Buffer.from("last")]));
      client.end(Buffer.of(0x88, 0x80, 0, 0, 0, 0));
      await closing(client);
      expect(answers).toBeGreaterThan(0);
      expect(answers).toBeLessThan(pings * 127);
    });

    test("a close of the client is answered with its code; the connection was closed, not lost", async () => {
      const made = recording();
      const listener = await listen(made.accept);
      for (const code of [1000, 1001, 4000]) {
        const client = await open(listener);
        client.close(code);
        expect((await once(client, "close"))[0]).toBe(code);
        const recorder = await made.next();
        await until(() => recorder.closes.length === 1);
        expect(recorder.closes).toEqual([undefined]);
      }
    });

    test("a client that ends without a close is closed", async () => {
      const made = recording();
      const listener = await listen(made.accept);
      const client = await upgraded(listener);
      const gone = closing(client);
      client.resume().end();
      const recorder = await made.next();
      await until(() => recorder.closes.length === 1);
      expect(recorder.closes).toEqual([undefined]);
      await gone;
    });

    test("frames behind the request in the same packet are read", async () => {
      const made = recording();
      const listener = await listen(made.accept);
      const client = connect(listener.port!, "127.0.0.1").resume();
      client.write(Buffer.concat([handshake(), Buffer.of(0x82, 0x82, 0, 0, 0, 0, 7, 8)]));
      const recorder = await made.next();
      await until(() => recorder.size === 2);
      expect([...recorder.bytes]).toEqual([7, 8]);
      client.destroy();
    });

    test("a client whose request comes in pieces is served as the others are: large messages, and a handler that pauses", async () => {
      const listener = await listen(echo);
      const client = connect(listener.port!, "127.0.0.1");
      client.setNoDelay();
      const request = handshake();
      client.write(request.subarray(0, 20));
      // The bytes should arrive apart; nobody tells when they have, and the outcome does not depend on it.
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      client.write(request.subarray(20));
      await once(client, "data");
      // No MQTT, so the answer is one stream of bytes in frames of any length.
      const size = 1_000_000;
      const payload = Buffer.concat([Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff]), pattern(size - 5)]);
      const head = Buffer.alloc(14);
      head.writeUInt16BE(0x82ff, 0);
      head.writeUInt32BE(size, 6);
      const got = gatherFrames(client);
      client.write(Buffer.concat([head, payload]));
      await until(() => got.size >= size);
      expect(Buffer.concat(got.payloads).equals(payload)).toBe(true);
      client.destroy();
    });

    test("requests that are no handshake are refused", async () => {
      const listener = await listen(echo);
      const answer = async (text: string): Promise<string> => {
        const client = connect(listener.port!, "127.0.0.1");
        let got = "";
        client.setEncoding("latin1").on("data", (chunk: string) => {
          got += chunk;
        });
        client.write(text);
        await closing(client);
        return got;
      };
      const good = handshake().toString();
      expect(await answer(good.replace("Version: 13", "Version: 8"))).toMatch(
        /^HTTP\/1.1 426 .*\r\nSec-WebSocket-Version: 13\r\n/s,
      );
      expect(await answer(good.replace(/Sec-WebSocket-Version.*\r\n/, ""))).toMatch(/^HTTP\/1.1 426 /);
      expect(await answer(good.replace(/(Key: ).*/, "$1short"))).toMatch(/^HTTP\/1.1 400 /);
      expect(await answer(good.replace(/Sec-WebSocket-Key.*\r\n/, ""))).toMatch(/^HTTP\/1.1 400 /);
      expect(await answer(good.replace("Upgrade: websocket", "Upgrade: h2c"))).toMatch(/^HTTP\/1.1 400 /);
      expect(await answer(good.replace("GET", "POST"))).toMatch(/^HTTP\/1.1 400 /);
    });

    test("a message longer than allowed closes with 1009", async () => {
      const made = recording();
      const listener = await listen(made.accept, { maxPayload: 1000 });
      const client = await open(listener);
      client.send(pattern(1001));
      const [code] = (await once(client, "close")) as [number];
      expect(code).toBe(1009);
      const recorder = await made.next();
      await until(() => recorder.closes.length === 1);
      expect(recorder.closes[0]).toBeInstanceOf(Error);
    });

    test("a client that does not read: false, then drain", async () => {
      const made = recording();
      const listener = await listen(made.accept);
      const client = await open(listener, ["mqtt"], { maxPayload: 64_000_000 });
      client.pause();
      const got = gather(client);
      const { connection } = await made.next();
      const block = pattern(10_000_000);
      expect(connection.write(block)).toBe(false);
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      expect(made.made[0]?.drains).toBe(0);
      client.resume();
      await until(() => made.made[0]?.drains === 1 && got.size === block.length);
      expect(got.bytes().equals(block)).toBe(true);
    });

    test("pause holds back also what was read already; resume goes on in order", async () => {
      const made = recording();
      const listener = await listen((connection) => {
        const handler = made.accept(connection)!;
        return {
          data(bytes, start, end) {
            handler.data(bytes, start, end);
            connection.pause();
          },
          drain() {},
          closed: (error) => handler.closed(error),
        };
      });
      const client = await open(listener);
      // What lies between two control frames is handed on together.
      for (let i = 0; i < 20; i++) {
        client.send(Buffer.of(i));
        client.pong();
      }
      const recorder = await made.next();
      for (let i = 1; i <= 20; i++) {
        await until(() => recorder.size >= i);
        for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
        expect(recorder.size).toBe(i);
        recorder.connection.resume();
      }
      expect([...recorder.bytes]).toEqual(Array.from({ length: 20 }, (_, i) => i));
    });

    test("end(): what was written arrives before the close frame, at a client that is still sending", async () => {
      const last = pattern(500_000);
      const listener = await listen((connection) => ({
        data() {
          connection.write(last);
          connection.end();
        },
        drain() {},
        closed() {},
      }));
      const client = await open(listener);
      const got = gather(client);
      let closed: number | undefined;
      client.on("close", (code: number) => {
        closed = code;
      });
      const flood = (): void => {
        if (closed !== undefined) return;
        if (client.bufferedAmount < 1_000_000) client.send(pattern(16_384), () => {});
        setImmediate(flood);
      };
      flood();
      await until(() => closed !== undefined);
      expect(closed).toBe(1000);
      expect(got.bytes().equals(last)).toBe(true);
    });

    test("end() with a client that never answers gives up after the linger time", async () => {
      const made = recording();
      const listener = await listen(made.accept, {}, 30);
      const client = await open(listener);
      client.pause();
      const recorder = await made.next();
      recorder.connection.end();
      await until(() => recorder.closes.length === 1);
    });

    test("destroy(), and a client that vanishes, close once; a refused one is not counted", async () => {
      const made = recording();
      const listener = await listen(made.accept);
      await open(listener);
      const first = await made.next();
      first.connection.destroy();
      first.connection.destroy();
      expect(first.connection.write(Buffer.of(1))).toBe(true);
      const client = await open(listener);
      const second = await made.next();
      client.terminate();
      await until(() => first.closes.length === 1 && second.closes.length === 1);
      const none = await listen(() => undefined);
      await closing(dial(none));
      await until(() => none.connections === 0);
    });
  });
});

describe("secure WebSocket", () => {
  let root: Authority;
  let server: Issued;
  beforeAll(async () => {
    root = await Authority.root("CN=Root");
    server = await root.issue({ name: "CN=localhost", names: [{ type: "dns", value: "localhost" }] });
  });

  test("echo over TLS, info tells both", async () => {
    const made = recording();
    const tls = { certificates: [server] };
    const listener = createWebSocketListener({ type: "wss", host: "127.0.0.1", port: 0, tls }, made.accept);
    await listener.listen();
    listeners.push(listener);
    expect(listener.address).toBe(`wss://127.0.0.1:${listener.port}`);
    // ws hands its options on to tls.connect, its types do not say so.
    const options: ClientOptions & { servername: string } = { ca: root.cert, servername: "localhost" };
    const client = await open(listener, ["mqtt"], options);
    const got = gather(client);
    const { connection } = await made.next();
    expect(connection.info).toMatchObject({ transport: "wss", tls: { servername: "localhost", protocol: "TLSv1.3" } });
    connection.write(Buffer.from("hello"));
    await until(() => got.size === 5);
    await listener.reloadCertificates?.();
  });
});
