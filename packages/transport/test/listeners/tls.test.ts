import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type Accept,
  createListener,
  type Listener,
  type ListenerContext,
  type TlsConfig,
  type TlsListenerConfig,
} from "../../src/index.ts";
import { splitAltNames } from "../../src/tls/tls-info.ts";
import { Authority, type Issued } from "../certificates.ts";
import { closing, echo, gather, pattern, type Recorder, recording, until } from "../support.ts";

let root: Authority;
let middle: Authority;
let server: Issued;
let other: Issued;
let device: Issued;
let stranger: Issued;
let directory: string;

beforeAll(async () => {
  root = await Authority.root("CN=Root");
  middle = await root.authority("CN=Middle");
  const names = [{ type: "dns" as const, value: "localhost" }];
  server = await root.issue({ name: "CN=localhost", names });
  other = await root.issue({ name: "CN=other.example", names: [{ type: "dns", value: "other.example" }] });
  device = await middle.issue({
    name: "CN=device-1,O=Wren",
    names: [
      { type: "dns", value: "device-1.example" },
      { type: "url", value: "urn:wren:1, DNS:forged.example" },
    ],
  });
  stranger = await (await Authority.root("CN=Other root")).issue({ name: "CN=stranger" });
  directory = await mkdtemp(join(tmpdir(), "wrenmq-"));
});
afterAll(() => rm(directory, { recursive: true }));

const listeners: Listener[] = [];
const sockets: TLSSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const listener of listeners.splice(0)) {
    await listener.close();
    await until(() => listener.connections === 0);
  }
});

async function listen(
  tls: Partial<TlsConfig>,
  accept: Accept,
  onError: (error: Error) => void = () => {},
  config: Partial<TlsListenerConfig> = {},
): Promise<Listener> {
  const listener = createListener(
    { type: "tls", host: "127.0.0.1", port: 0, ...config, tls: { certificates: [server], ...tls } },
    accept,
    { ...context, onError },
  );
  await listener.listen();
  listeners.push(listener);
  return listener;
}

function dial(listener: Listener, options: ConnectionOptions = {}): TLSSocket {
  const socket = connect({
    port: listener.port!,
    host: "127.0.0.1",
    servername: "localhost",
    ca: root.cert,
    ...options,
  });
  socket.on("error", () => {});
  sockets.push(socket);
  return socket;
}

async function client(listener: Listener, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = dial(listener, options);
  await once(socket, "secureConnect");
  return socket;
}

/** Whether the server takes the client; with TLS 1.3 the client learns of a refusal only after its own handshake. */
async function admitted(listener: Listener, options: ConnectionOptions): Promise<boolean> {
  const socket = dial(listener, options);
  const got = gather(socket);
  let closed = false;
  socket.on("close", () => {
    closed = true;
  });
  socket.write("x");
  await until(() => closed || got.size > 0);
  return got.size > 0;
}

const arena = new Uint8Array(100_000);
const readBuffer = { bytes: arena, start: 1000, length: 65_536 };
let context: ListenerContext;

describe.each<[string, ListenerContext]>([
  ["Node's sockets", {}],
  ["raw handles", { readBuffer }],
])("with %s", (_, way) => {
  beforeEach(() => {
    context = way;
  });

  describe("TLS", () => {
    describe("MQTT 5.0", () => {
      test("[MQTT-4.2-1] echo keeps order and loses nothing", async () => {
        const listener = await listen({}, echo);
        const socket = await client(listener);
        const got = gather(socket);
        const bytes = pattern(2_000_000);
        socket.write(bytes);
        await until(() => got.size === bytes.length);
        expect(got.bytes().equals(bytes)).toBe(true);
        expect(listener.address).toBe(`mqtts://127.0.0.1:${listener.port}`);
      });
    });

    test("info: protocol, server name, addresses, no certificate", async () => {
      const made = recording();
      const listener = await listen({}, made.accept);
      const socket = await client(listener);
      const { info } = (await made.next()).connection;
      expect(info).toMatchObject({ transport: "tls", remoteAddress: "127.0.0.1", remotePort: socket.localPort });
      expect(info.tls).toEqual({ authorized: false, protocol: "TLSv1.3", servername: "localhost" });
    });

    test("the read path is the one asked for", async () => {
      const seen: Uint8Array[] = [];
      const listener = await listen({}, () => ({ data: (bytes) => void seen.push(bytes), drain() {}, closed() {} }));
      (await client(listener)).write("hello");
      await until(() => seen.length > 0);
      expect(seen[0] === arena).toBe(context.readBuffer !== undefined);
    });

    test("nothing comes between pause() and resume(), whatever is in the same record or after it", async () => {
      const made = recording();
      const listener = await listen({}, (connection) => {
        const recorder = made.accept(connection) as Recorder;
        return {
          data(bytes, start, end) {
            recorder.data(bytes, start, end);
            connection.pause();
          },
          drain() {},
          closed: (error) => recorder.closed(error),
        };
      });
      const socket = await client(listener);
      const bytes = pattern(200_000, 9);
      socket.end(bytes);
      const recorder = await made.next();
      while (recorder.size < bytes.length) {
        const seen = recorder.chunks.length;
        for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
        if (recorder.chunks.length === 0) continue;
        expect(recorder.chunks.length).toBe(Math.max(seen, 1));
        recorder.connection.resume();
        await until(() => recorder.chunks.length > Math.max(seen, 1) || recorder.size === bytes.length);
      }
      recorder.connection.resume();
      await until(() => recorder.closes.length === 1);
      expect(recorder.closes).toEqual([undefined]);
      expect(recorder.bytes.equals(bytes)).toBe(true);
    });

    test("several writes before a drain are sent in order, and the end after them", async () => {
      const pieces = [pattern(70_000, 1), pattern(3, 2), pattern(100_000, 3)];
      const listener = await listen({}, (connection) => ({
        data() {
          for (const piece of pieces) connection.write(piece);
          connection.end();
        },
        drain() {},
        closed() {},
      }));
      const socket = await client(listener);
      const got = gather(socket);
      socket.write("x");
      await closing(socket);
      expect(got.bytes().equals(Buffer.concat(pieces))).toBe(true);
    });

    test("end(): the last bytes reach a client that is still sending", async () => {
      const last = pattern(300_000, 5);
      const listener = await listen({}, (connection) => {
        let first = true;
        return {
          data() {
            if (first) {
              connection.write(last);
              connection.end();
            }
            first = false;
          },
          drain() {},
          closed() {},
        };
      });
      const socket = await client(listener);
      const got = gather(socket);
      let flooding = true;
      const flood = (): void => {
        if (flooding && socket.write(pattern(16_384))) setImmediate(flood);
        else if (flooding) socket.once("drain", flood);
      };
      flood();
      await until(() => got.size === last.length);
      flooding = false;
      expect(got.bytes().equals(last)).toBe(true);
    });

    test("a client that has said all it has to say is answered", async () => {
      const listener = await listen({}, (connection) => ({
        data(bytes, start, end) {
          connection.write(Uint8Array.from(bytes.subarray(start, end)));
        },
        drain() {},
        closed() {},
      }));
      const socket = dial(listener, { allowHalfOpen: true } as ConnectionOptions);
      const got = gather(socket);
      socket.end("last");
      await closing(socket);
      expect(got.bytes().toString()).toBe("last");
    });

    test("a client that does not read: false, then drain", async () => {
      const made = recording();
      const listener = await listen({}, made.accept);
      const socket = await client(listener);
      socket.pause();
      const recorder = await made.next();
      const block = pattern(8_000_000, 3);
      expect(recorder.connection.write(block)).toBe(false);
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      expect(recorder.drains).toBe(0);
      const got = gather(socket);
      socket.resume();
      await until(() => recorder.drains === 1 && got.size === block.length);
      expect(got.bytes().equals(block)).toBe(true);
    });

    test("a client that speaks no TLS is an error of the handshake, and no connection", async () => {
      const errors: Error[] = [];
      const made = recording();
      const listener = await listen({}, made.accept, (error) => errors.push(error));
      const { connect: plain } = await import("node:net");
      const socket = plain(listener.port!, "127.0.0.1");
      socket.on("error", () => {});
      socket.write("\x10\x0cMQTT nonsense");
      socket.resume();
      await closing(socket);
      await until(() => errors.length > 0);
      expect(errors[0]).toMatchObject({ code: "ERR_LISTENER_HANDSHAKE" });
      expect(made.made).toEqual([]);
    });

    test("minimum version", async () => {
      const listener = await listen({ minVersion: "TLSv1.3" }, echo);
      expect(await admitted(listener, { maxVersion: "TLSv1.2" })).toBe(false);
      expect(await admitted(listener, {})).toBe(true);
    });
  });

  describe("mutual TLS", () => {
    const withChain = (): ConnectionOptions => ({ cert: device.cert + middle.cert, key: device.key });

    test("the certificate's names are told", async () => {
      const made = recording();
      const listener = await listen({ requireCertificate: true, ca: root.cert }, made.accept);
      await client(listener, withChain());
      const { tls } = (await made.next()).connection.info;
      expect(tls).toMatchObject({ authorized: true, certificate: { commonName: "device-1" } });
      expect(tls?.certificate?.subject).toContain("O=Wren");
      expect(tls?.certificate?.subjectAltNames).toEqual([
        "DNS:device-1.example",
        'URI:"urn:wren:1\\u002c DNS:forged.example"',
      ]);
      expect(tls?.certificate?.serialNumber).toBe(device.serial.toUpperCase());
      expect(tls?.certificate?.raw.length).toBeGreaterThan(100);
    });

    test("a certificate without a subject, as SPIFFE's are", async () => {
      const made = recording();
      const listener = await listen({ requireCertificate: true, ca: root.cert }, made.accept);
      const workload = await root.issue({ name: "", names: [{ type: "url", value: "spiffe://wren/one" }] });
      await client(listener, { cert: workload.cert, key: workload.key });
      const { tls } = (await made.next()).connection.info;
      expect(tls?.certificate).toMatchObject({ subject: "", subjectAltNames: ["URI:spiffe://wren/one"] });
      expect(tls?.certificate).not.toHaveProperty("commonName");
    });

    test("required: none, or one of a stranger, is refused", async () => {
      const listener = await listen({ requireCertificate: true, ca: [root.cert] }, echo);
      expect(await admitted(listener, withChain())).toBe(true);
      expect(await admitted(listener, {})).toBe(false);
      expect(await admitted(listener, { cert: stranger.cert, key: stranger.key })).toBe(false);
    });

    test("requested: a client without is admitted but not authorized", async () => {
      const made = recording();
      const listener = await listen({ requestCertificate: true, ca: root.cert }, made.accept);
      await client(listener);
      const { tls } = (await made.next()).connection.info;
      expect(tls).toMatchObject({ authorized: false });
      expect(tls).not.toHaveProperty("certificate");
    });

    test("CAs from a directory", async () => {
      const path = await mkdtemp(join(directory, "ca-"));
      await writeFile(join(path, "root.pem"), root.cert);
      await writeFile(join(path, "README"), "not a certificate");
      const listener = await listen({ requireCertificate: true, caPath: path }, echo);
      expect(await admitted(listener, withChain())).toBe(true);
    });

    test("checking without a CA is refused: the public ones would be trusted", async () => {
      await expect(listen({ requireCertificate: true }, echo)).rejects.toMatchObject({ code: "ERR_LISTENER_CONFIG" });
    });

    test("revocation in a chain of several CAs, all lists in one file", async () => {
      const another = await middle.issue({ name: "CN=device-2" });
      const path = join(directory, "crl.pem");
      await writeFile(path, (await root.revoke()) + (await middle.revoke(device.serial)));
      const listener = await listen({ requireCertificate: true, ca: root.cert, crl: path }, echo);
      expect(await admitted(listener, withChain())).toBe(false);
      expect(await admitted(listener, { cert: another.cert + middle.cert, key: another.key })).toBe(true);
    });

    test("a revoked intermediate CA takes its clients with it; a missing list refuses rather than admits", async () => {
      const revoked = await listen(
        { requireCertificate: true, ca: root.cert, crl: [await root.revoke(middle.serial), await middle.revoke()] },
        echo,
      );
      expect(await admitted(revoked, withChain())).toBe(false);
      const incomplete = await listen({ requireCertificate: true, ca: root.cert, crl: await root.revoke() }, echo);
      expect(await admitted(incomplete, withChain())).toBe(false);
    });
  });

  describe("certificates by name and over time", () => {
    const shown = async (listener: Listener, servername: string): Promise<string | undefined> => {
      const socket = await client(listener, { servername, checkServerIdentity: () => undefined });
      const name = socket.getPeerCertificate().subject.CN as string | undefined;
      socket.destroy();
      return name;
    };

    test("several certificates by SNI", async () => {
      const listener = await listen(
        { certificates: [server, { ...other, servernames: ["Other.example", "*.wild.example"] }] },
        echo,
      );
      expect(await shown(listener, "localhost")).toBe("localhost");
      expect(await shown(listener, "other.example")).toBe("other.example");
      expect(await shown(listener, "a.wild.example")).toBe("other.example");
      expect(await shown(listener, "a.b.wild.example")).toBe("localhost");
      expect(await shown(listener, "")).toBe("localhost");
    });

    test("changed files are seen, new connections get the new certificate, old ones stay", async () => {
      const cert = join(directory, "server.pem");
      const key = join(directory, "server.key");
      await writeFile(cert, server.cert);
      await writeFile(key, server.key);
      const errors: Error[] = [];
      const listener = await listen({ certificates: [{ cert, key }], watchInterval: 5 }, echo, (error) =>
        errors.push(error),
      );
      const old = await client(listener);
      const got = gather(old);
      expect(await shown(listener, "x.example")).toBe("localhost");
      await writeFile(cert, other.cert);
      // The pair does not fit yet: the old one stays, and the operator hears of it.
      await until(() => errors.some((error) => "code" in error && error.code === "ERR_LISTENER_TLS"));
      expect(await shown(listener, "x.example")).toBe("localhost");
      await writeFile(key, other.key);
      while ((await shown(listener, "x.example")) !== "other.example");
      old.write("still here");
      await until(() => got.size === 10);
    });

    test("reloadCertificates(): at once; when it rejects nothing has changed", async () => {
      const cert = join(directory, "by-hand.pem");
      const key = join(directory, "by-hand.key");
      await writeFile(cert, server.cert);
      await writeFile(key, server.key);
      const listener = await listen({ certificates: [{ cert, key }], watchInterval: 0 }, echo);
      await writeFile(cert, "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n");
      await expect(listener.reloadCertificates?.()).rejects.toMatchObject({ code: "ERR_LISTENER_TLS" });
      expect(await shown(listener, "x.example")).toBe("localhost");
      await writeFile(cert, other.cert);
      await writeFile(key, other.key);
      await listener.reloadCertificates?.();
      expect(await shown(listener, "x.example")).toBe("other.example");
    });

    test("a session from before a revocation cannot be resumed past it", async () => {
      const crl = join(directory, "later.pem");
      await writeFile(crl, (await root.revoke()) + (await middle.revoke()));
      const listener = await listen({ requireCertificate: true, ca: root.cert, crl, watchInterval: 0 }, echo);
      const identity = { cert: device.cert + middle.cert, key: device.key };
      const first = dial(listener, identity);
      const got = gather(first);
      const session = once(first, "session");
      first.write("x");
      await until(() => got.size === 1);
      const [ticket] = (await session) as [Buffer];
      expect(await admitted(listener, { ...identity, session: ticket })).toBe(true);
      await writeFile(crl, (await root.revoke()) + (await middle.revoke(device.serial)));
      await listener.reloadCertificates?.();
      expect(await admitted(listener, { ...identity, session: ticket })).toBe(false);
    });

    test("errors name the key and the file", async () => {
      const missing = join(directory, "missing.pem");
      await expect(listen({ certificates: [{ cert: missing, key: server.key }] }, echo)).rejects.toMatchObject({
        code: "ERR_LISTENER_FILE",
        message: `tls.certificates[0].cert: ${missing}: no such file`,
      });
      await expect(listen({ ca: [root.cert, missing] }, echo)).rejects.toMatchObject({
        message: `tls.ca[1]: ${missing}: no such file`,
      });
      await expect(listen({ certificates: [{ cert: server.cert, key: other.key }] }, echo)).rejects.toMatchObject({
        code: "ERR_LISTENER_TLS",
        message: "tls.certificates[0].key: the key does not belong to the certificate",
      });
      await expect(listen({ certificates: [] }, echo)).rejects.toMatchObject({ code: "ERR_LISTENER_CONFIG" });
    });
  });
});

test("alternative names are split outside quotes only", () => {
  expect(splitAltNames('DNS:a, URI:"urn:x, DNS:\\"b\\"", IP Address:127.0.0.1')).toEqual([
    "DNS:a",
    'URI:"urn:x, DNS:\\"b\\""',
    "IP Address:127.0.0.1",
  ]);
  expect(splitAltNames("")).toEqual([]);
});
