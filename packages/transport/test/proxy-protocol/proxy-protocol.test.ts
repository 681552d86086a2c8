import { once } from "node:events";
import { type Socket, connect as tcpConnect } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import WebSocket from "ws";
import { createListener, type Listener, type ListenerConfig, type ListenerContext } from "../../src/index.ts";
import { ProxyHeaderParser, type ProxyStep } from "../../src/proxy-protocol/proxy-protocol.ts";
import { TrustedAddresses } from "../../src/proxy-protocol/trusted-addresses.ts";
import { Authority, type Issued } from "../certificates.ts";
import { closing, dial, recording, until } from "../support.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const v2 = (rest: string): Buffer => Buffer.from(SIGNATURE + rest.replaceAll(" ", ""), "hex");
const v1 = (line: string): Buffer => Buffer.from(line, "latin1");

const good: [string, Buffer, { address: string; port: number } | undefined][] = [
  ["v1 TCP4", v1("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"), { address: "192.0.2.1", port: 56324 }],
  ["v1 TCP6", v1("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), { address: "2001:db8::1", port: 1 }],
  ["v1 TCP6, otherwise written", v1("PROXY TCP6 2001:0DB8:0::0:1 ::1 1 2\r\n"), { address: "2001:db8::1", port: 1 }],
  ["v1 TCP6 with a mapped address", v1("PROXY TCP6 ::ffff:c000:201 ::1 1 2\r\n"), { address: "192.0.2.1", port: 1 }],
  ["v1 TCP6 with a zone", v1("PROXY TCP6 fe80::1%eth7 fe80::2 1 2\r\n"), { address: "fe80::1", port: 1 }],
  ["v1 UNKNOWN", v1("PROXY UNKNOWN\r\n"), undefined],
  ["v1 UNKNOWN with rubbish", v1("PROXY UNKNOWN ffff:f...f:ffff x 65535 65535\r\n"), undefined],
  ["v2 TCP4", v2("21 11 000c c0000201 c6336401 dc04 01bb"), { address: "192.0.2.1", port: 56324 }],
  [
    "v2 TCP6",
    v2("21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 0001 ffff"),
    { address: "2001:db8::1", port: 1 },
  ],
  [
    "v2 TCP6 with a mapped IPv4 address",
    v2("21 21 0024 00000000000000000000ffffc0000201 00000000000000000000ffffc6336401 0001 ffff"),
    { address: "192.0.2.1", port: 1 },
  ],
  [
    "v2 TCP4 with a TLV",
    v2("21 11 0011 c0000201 c6336401 dc04 01bb 04 0002 0000"),
    { address: "192.0.2.1", port: 56324 },
  ],
  ["v2 LOCAL", v2("20 00 0000"), undefined],
  ["v2 LOCAL with addresses to ignore", v2("20 11 000c c0000201 c6336401 dc04 01bb"), undefined],
  ["v2 UNSPEC", v2("21 00 0003 010203"), undefined],
  ["v2 Unix", v2(`21 31 00d8 ${"00".repeat(216)}`), undefined],
];

const wrong: [string, Buffer][] = [
  ["an MQTT CONNECT", Buffer.from("100c00044d5154540402003c0000", "hex")],
  ["almost v1", v1("PROXX TCP4 192.0.2.1 198.51.100.1 56324 443\r\n")],
  ["v1 with the wrong family", v1("PROXY TCP5 192.0.2.1 198.51.100.1 56324 443\r\n")],
  ["v1 TCP4 with IPv6 addresses", v1("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n")],
  ["v1 with a bad address", v1("PROXY TCP4 192.0.2.256 198.51.100.1 56324 443\r\n")],
  ["v1 with a bad port", v1("PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n")],
  ["v1 with a port that is not decimal", v1("PROXY TCP4 192.0.2.1 198.51.100.1 0x10 443\r\n")],
  ["v1 with too few fields", v1("PROXY TCP4 192.0.2.1 198.51.100.1 443\r\n")],
  ["v1 with too many fields", v1("PROXY TCP4 192.0.2.1 198.51.100.1 1 443 5\r\n")],
  ["v1 with two spaces", v1("PROXY  TCP4 192.0.2.1 198.51.100.1 1 443\r\n")],
  ["v1 too long", v1(`PROXY UNKNOWN ${"x".repeat(100)}\r\n`)],
  ["v2 with a broken signature", Buffer.from("0d0a0d0a000d0a515549540b2111000c", "hex")],
  ["v2 of version 3", v2("31 11 000c c0000201 c6336401 dc04 01bb")],
  ["v2 with an unknown command", v2("22 11 000c c0000201 c6336401 dc04 01bb")],
  ["v2 with too short a body", v2("21 11 000b c0000201 c6336401 dc04 01")],
  ["v2 TCP6 with too short a body", v2("21 21 000c c0000201 c6336401 dc04 01bb")],
  ["v2 over UDP", v2("21 12 000c c0000201 c6336401 dc04 01bb")],
  ["v2 with an enormous body", v2("21 11 ffff")],
];

describe("PROXY protocol header", () => {
  test.each(good)("good: %s, whole and byte by byte, and not a byte more", (_name, header, source) => {
    const bytes = Buffer.concat([Buffer.from("??"), header, Buffer.from("MQTT")]);
    const whole = new ProxyHeaderParser().push(bytes, 2, bytes.length);
    expect(whole).toEqual({ state: "done", used: header.length, source });
    const parser = new ProxyHeaderParser();
    for (const byte of header.subarray(0, -1)) {
      expect(parser.push(Buffer.of(byte), 0, 1)).toEqual({ state: "more" });
    }
    expect(parser.push(bytes, 2 + header.length - 1, bytes.length)).toEqual({ state: "done", used: 1, source });
  });

  test("the longest header is copied twice, not once for each of its bytes", () => {
    const header = v2(`21 11 1000 c0000201 c6336401 dc04 01bb ${"00".repeat(4084)}`);
    const from = vi.spyOn(Buffer, "from");
    const step = new ProxyHeaderParser().push(header, 0, header.length);
    const copies = from.mock.calls.length;
    from.mockRestore();
    expect(step).toMatchObject({ state: "done", used: header.length });
    expect(copies).toBe(2);
  });

  test.each(wrong)("bad: %s, whole and byte by byte", (_name, header) => {
    expect(new ProxyHeaderParser().push(header, 0, header.length).state).toBe("bad");
    const parser = new ProxyHeaderParser();
    let step: ProxyStep = { state: "more" };
    for (const byte of header) {
      step = parser.push(Buffer.of(byte), 0, 1);
      if (step.state !== "more") break;
    }
    expect(step.state).toBe("bad");
  });
});

describe("trusted addresses", () => {
  test("addresses and networks of both families", () => {
    const trusted = new TrustedAddresses(["10.0.0.0/8", "192.0.2.1", "fd00::/8", "::1"], "k");
    for (const address of ["10.255.0.1", "192.0.2.1", "fd12::1", "::1"]) expect(trusted.has(address)).toBe(true);
    for (const address of ["11.0.0.1", "192.0.2.2", "fe80::1", "::2", "", "unix"])
      expect(trusted.has(address)).toBe(false);
  });

  test.each(["localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "::/129", ""])("%j is refused", (entry) => {
    expect(() => new TrustedAddresses([entry], "proxyProtocol.trusted")).toThrow(
      expect.objectContaining({
        code: "ERR_LISTENER_CONFIG",
        message: expect.stringContaining("proxyProtocol.trusted"),
      }),
    );
  });
});

describe("behind a proxy", () => {
  const header = v1("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
  const trusting = { trusted: ["127.0.0.1"] };
  let root: Authority;
  let certificate: Issued;
  beforeAll(async () => {
    root = await Authority.root("CN=Root");
    certificate = await root.issue({ name: "CN=localhost", names: [{ type: "dns", value: "localhost" }] });
  });
  const listeners: Listener[] = [];
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const listener of listeners.splice(0)) {
      await listener.close();
      await until(() => listener.connections === 0);
    }
  });
  async function listen(
    config: ListenerConfig,
    accept: ReturnType<typeof recording>["accept"],
    options: ListenerContext = {},
  ): Promise<Listener> {
    const listener = createListener(config, accept, options);
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
  const arena = new Uint8Array(70_000);
  const readBuffer = { bytes: arena, start: 100, length: 65_536 };
  const ways: [string, ListenerContext, boolean][] = [
    ["", {}, true],
    [" with sockets and a shared buffer", { readBuffer }, false],
    [" with raw handles", { readBuffer }, true],
  ];

  test.each(ways)(
    "TCP%s: the client's address is told, and the bytes after the header are kept",
    async (_name, options, rawTcp) => {
      const made = recording();
      const listener = await listen(
        { type: "tcp", host: "127.0.0.1", port: 0, proxyProtocol: trusting, rawTcp },
        made.accept,
        options,
      );
      const together = await client(listener);
      together.write(Buffer.concat([header, Buffer.from("first")]));
      const one = await made.next();
      expect(one.connection.info).toMatchObject({
        remoteAddress: "192.0.2.1",
        remotePort: 56324,
        localPort: listener.port,
      });
      together.write(" second");
      await until(() => one.size === 12);
      expect(one.bytes.toString()).toBe("first second");
      const split = await client(listener);
      split.setNoDelay(true);
      for (const byte of header) {
        split.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      split.write("x");
      const two = await made.next();
      await until(() => two.size === 1);
    },
  );

  test.each([false, true])(
    "a handler that pauses while it is asked gets the rest only after resume (rawTcp %s)",
    async (rawTcp) => {
      const made = recording();
      const listener = await listen(
        { type: "tcp", host: "127.0.0.1", port: 0, proxyProtocol: trusting, rawTcp },
        (connection) => {
          connection.pause();
          return made.accept(connection);
        },
        { readBuffer },
      );
      const socket = await client(listener);
      socket.write(Buffer.concat([header, Buffer.from("first")]));
      const recorder = await made.next();
      socket.write(" second");
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      expect(recorder.size).toBe(0);
      recorder.connection.resume();
      expect(recorder.size).toBe(0);
      await until(() => recorder.size === 12);
      expect(recorder.bytes.toString()).toBe("first second");
    },
  );

  test.each([false, true])(
    "others connect without a header; their PROXY line is not believed (rawTcp %s)",
    async (rawTcp) => {
      const made = recording();
      const listener = await listen(
        { type: "tcp", host: "127.0.0.1", port: 0, proxyProtocol: { trusted: ["192.0.2.7"] }, rawTcp },
        made.accept,
        { readBuffer },
      );
      (await client(listener)).write(header);
      const recorder = await made.next();
      expect(recorder.connection.info.remoteAddress).toBe("127.0.0.1");
      await until(() => recorder.size === header.length);
    },
  );

  test.each([false, true])("a bad header, or none in time, closes; nobody is asked (rawTcp %s)", async (rawTcp) => {
    const made = recording();
    const errors: Error[] = [];
    const listener = await listen(
      { type: "tcp", host: "127.0.0.1", port: 0, proxyProtocol: { ...trusting, timeout: 20 }, rawTcp },
      made.accept,
      { readBuffer, onError: (error) => errors.push(error) },
    );
    const wrongHeader = await client(listener);
    wrongHeader.write("\x10\x0c\x00\x04MQTT");
    wrongHeader.resume();
    await closing(wrongHeader);
    const silent = await client(listener);
    silent.resume();
    await closing(silent);
    expect(errors.map((error) => error.message)).toEqual([
      "connection from 127.0.0.1 closed: no PROXY header",
      "connection from 127.0.0.1 closed: no PROXY header in time",
    ]);
    expect(made.made).toEqual([]);
  });

  test("TLS: header, then handshake", async () => {
    const made = recording();
    const errors: Error[] = [];
    const listener = await listen(
      {
        type: "tls",
        host: "127.0.0.1",
        port: 0,
        proxyProtocol: { ...trusting, timeout: 200 },
        tls: { certificates: [certificate] },
      },
      made.accept,
      { onError: (error) => errors.push(error) },
    );
    const raw = await client(listener);
    raw.write(header);
    const socket = tlsConnect({ socket: raw, ca: root.cert, servername: "localhost" });
    await once(socket, "secureConnect");
    socket.write("hello");
    const recorder = await made.next();
    expect(recorder.connection.info).toMatchObject({ transport: "tls", remoteAddress: "192.0.2.1", remotePort: 56324 });
    await until(() => recorder.size === 5);
    const bad = tlsConnect({ port: listener.port!, host: "127.0.0.1", ca: root.cert, servername: "localhost" });
    bad.on("error", () => {});
    await closing(bad);
    const silent = await client(listener);
    silent.resume();
    await closing(silent);
    expect(errors.map((error) => (error as { code?: string }).code)).toEqual([
      "ERR_LISTENER_PROXY",
      "ERR_LISTENER_PROXY",
    ]);
  });

  test("TLS: header and ClientHello in one segment", async () => {
    const made = recording();
    const listener = await listen(
      { type: "tls", host: "127.0.0.1", port: 0, proxyProtocol: trusting, tls: { certificates: [certificate] } },
      made.accept,
    );
    const raw = tcpConnect(listener.port!, "127.0.0.1");
    sockets.push(raw);
    raw.cork();
    raw.write(header);
    const { Duplex } = await import("node:stream");
    let corked = true;
    const through = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        raw.write(chunk);
        if (corked) raw.uncork();
        corked = false;
        done();
      },
    });
    raw.on("data", (chunk) => through.push(chunk));
    const socket = tlsConnect({ socket: through, ca: root.cert, servername: "localhost" });
    await once(socket, "secureConnect");
    socket.write("hello");
    const recorder = await made.next();
    await until(() => recorder.size === 5);
    expect(recorder.connection.info.remoteAddress).toBe("192.0.2.1");
  });

  test.each([true, false])("WebSocket: header, then request (rawTcp %s)", async (rawTcp) => {
    const made = recording();
    const config = { type: "ws", host: "127.0.0.1", port: 0, proxyProtocol: trusting, rawTcp } as const;
    const listener = await listen(config, made.accept, { readBuffer });
    const raw = await client(listener);
    raw.write(header);
    const socket = new WebSocket(`ws://127.0.0.1:${listener.port}/`, ["mqtt"], { createConnection: () => raw });
    await once(socket, "open");
    socket.send(Buffer.from("hello"));
    const recorder = await made.next();
    await until(() => recorder.size === 5);
    expect(recorder.connection.info).toMatchObject({ transport: "ws", remoteAddress: "192.0.2.1", remotePort: 56324 });
    const direct = await client(listener);
    direct.resume();
    direct.write("GET / HTTP/1.1\r\n\r\n");
    await closing(direct);
  });
});
