// Who comes in with which certificate: every kind of bad one, by every way in, made with openssl.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { createListener, type Listener, type ListenerConfig, type TlsConfig } from "../../src/index.ts";
import { identityOf, OpensslAuthority, type OpensslFiles } from "../openssl.ts";
import { echo, gather, recording, until } from "../support.ts";

const HOST = "127.0.0.1";
let ours: OpensslAuthority;
let foreign: OpensslAuthority;
let server: OpensslFiles;
let revocations: string;
let good: OpensslFiles;
const bad: Record<string, OpensslFiles> = {};

beforeAll(() => {
  ours = new OpensslAuthority("Our authority");
  foreign = new OpensslAuthority("Foreign authority");
  server = ours.issue("/CN=localhost", { use: "server" });
  good = ours.issue("/CN=good/O=Wren");
  bad["foreign"] = foreign.issue("/CN=bad/O=Wren");
  bad["self-signed"] = ours.selfSigned("/CN=bad/O=Wren");
  bad["expired"] = ours.issue("/CN=bad/O=Wren", { from: -20, until: -10 });
  bad["not yet valid"] = ours.issue("/CN=bad/O=Wren", { from: 10, until: 20 });
  bad["for another purpose"] = ours.issue("/CN=bad/O=Wren", { use: "server" });
  bad["revoked"] = ours.issue("/CN=bad/O=Wren");
  ours.revoke(bad["revoked"]);
  revocations = ours.revocationList();
});
afterAll(() => {
  ours.remove();
  foreign.remove();
});

const REASONS: Record<string, string> = {
  foreign: "unable to verify the first certificate",
  "self-signed": "self-signed certificate",
  expired: "certificate has expired",
  "not yet valid": "certificate is not yet valid",
  "for another purpose": "unsuitable certificate purpose",
  revoked: "certificate revoked",
};

const listeners: Listener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
});

/** `raw`: TLS without sockets. */
type Way = "tls" | "raw" | "wss";
const readBuffer = { bytes: new Uint8Array(65_536), start: 0, length: 65_536 };
interface Listening {
  readonly listener: Listener;
  readonly errors: Error[];
}

async function listen(way: Way, asking: Partial<TlsConfig>, more: object = {}): Promise<Listening> {
  const errors: Error[] = [];
  const tls: TlsConfig = { certificates: [server], ca: ours.cert, watchInterval: 0, ...asking };
  const config: ListenerConfig = { type: way === "raw" ? "tls" : way, host: HOST, port: 0, tls, ...more };
  const onError = (error: Error): void => void errors.push(error);
  const listener = createListener(config, echo, { onError, ...(way === "raw" && { readBuffer }) });
  await listener.listen();
  listeners.push(listener);
  return { listener, errors };
}

/** Does a byte come back? Then it is closed. */
async function isServed({ listener }: Listening, way: Way, options: ConnectionOptions): Promise<boolean> {
  const secure = { ...options, ca: readFileSync(ours.cert) };
  let answered = false;
  let closed = false;
  if (way !== "wss") {
    const socket = connect({ port: listener.port!, host: HOST, servername: "localhost", ...secure });
    socket
      .on("error", () => {})
      .on("close", () => {
        closed = true;
      });
    const got = gather(socket);
    socket.write("x");
    await until(() => closed || got.size > 0);
    answered = got.size > 0;
    socket.destroy();
  } else {
    const socket = new WebSocket(`wss://${HOST}:${listener.port}/`, ["mqtt"], secure);
    socket
      .on("error", () => {})
      .on("close", () => {
        closed = true;
      });
    socket
      .on("open", () => socket.send(Buffer.from("x")))
      .on("message", () => {
        answered = true;
      });
    await until(() => closed || answered);
    socket.terminate();
  }
  return answered;
}

describe.each(["tls", "raw", "wss"] as const)("%s", (way) => {
  describe.each(["TLSv1.2", "TLSv1.3"] as const)("%s", (version) => {
    const versions = { minVersion: version, maxVersion: version };

    test.each(Object.keys(REASONS))(
      "a certificate that is %s is refused, whether required or only asked for",
      async (kind) => {
        for (const asking of [{ requestCertificate: true }, { requireCertificate: true }]) {
          // With a revocation list OpenSSL says of some others that it has no list of their authority.
          const listening = await listen(way, { ...asking, ...(kind === "revoked" && { crl: revocations }) });
          const { errors } = listening;
          expect(await isServed(listening, way, { ...versions, ...identityOf(bad[kind]!) })).toBe(false);
          await until(() => errors.length > 0);
          expect(errors.map(({ message }) => message)).toEqual([
            `127.0.0.1 is refused: its certificate is not accepted: ${REASONS[kind]} (CN=bad, O=Wren)`,
          ]);
          expect(errors[0]).toMatchObject({ code: "ERR_LISTENER_CERTIFICATE" });
          expect(listening.listener.connections).toBe(0);
        }
      },
    );

    test("a good one is served; none is, where none is required", async () => {
      const asked = await listen(way, { requestCertificate: true });
      expect(await isServed(asked, way, { ...versions, ...identityOf(good) })).toBe(true);
      expect(await isServed(asked, way, versions)).toBe(true);
      expect(asked.errors).toEqual([]);
      const required = await listen(way, { requireCertificate: true });
      expect(await isServed(required, way, { ...versions, ...identityOf(good) })).toBe(true);
      expect(await isServed(required, way, versions)).toBe(false);
      await until(() => required.errors.length > 0);
      expect(required.errors.map(({ message }) => message)).toEqual(["127.0.0.1 is refused: it shows no certificate"]);
    });
  });
});

describe.each(["tls", "raw"] as const)("sessions that are resumed, %s", (way) => {
  /** What the server gives for the next time; undefined: it has closed before it gave anything. */
  async function ticketOf(listener: Listener, options: ConnectionOptions): Promise<Buffer | undefined> {
    const secure = { servername: "localhost", ca: readFileSync(ours.cert), ...options };
    const socket = connect({ port: listener.port!, host: HOST, ...secure });
    socket.on("error", () => {});
    const ticket = await new Promise<Buffer | undefined>((resolve) => {
      socket.once("session", resolve).once("close", () => resolve(undefined));
    });
    socket.destroy();
    return ticket;
  }

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "%s: do not bring in who has shown no certificate, or a bad one",
    async (version) => {
      const versions: ConnectionOptions = { minVersion: version, maxVersion: version };
      const required = await listen(way, { requireCertificate: true });
      for (const identity of [{}, identityOf(bad["foreign"]!), identityOf(bad["expired"]!)]) {
        const options = { ...versions, ...identity };
        const session = await ticketOf(required.listener, options);
        expect(await isServed(required, way, { ...options, ...(session && { session }) })).toBe(false);
        expect(await isServed(required, way, { ...versions, ...(session && { session }) })).toBe(false);
      }
      const asked = await listen(way, { requestCertificate: true, crl: revocations });
      const revoked = { ...versions, ...identityOf(bad["revoked"]!) };
      const session = await ticketOf(asked.listener, revoked);
      expect(await isServed(asked, way, { ...revoked, ...(session && { session }) })).toBe(false);
    },
  );

  test("bring the certificate along, and are over when it has ended", async () => {
    const made = recording();
    const tls = { certificates: [server], ca: ours.cert, requireCertificate: true, watchInterval: 0 };
    const listener = createListener(
      { type: "tls", host: HOST, port: 0, tls },
      made.accept,
      way === "raw" ? { readBuffer } : {},
    );
    await listener.listen();
    listeners.push(listener);
    const shortLived = ours.issue("/CN=short", { until: 5 / 86_400 });
    const session = await ticketOf(listener, identityOf(shortLived));
    if (session === undefined) throw new Error("no ticket");
    const dial = (): TLSSocket =>
      connect({ port: listener.port!, host: HOST, servername: "localhost", ca: readFileSync(ours.cert), session });
    await made.next();
    const again = dial();
    again.on("error", () => {});
    const resumed = await made.next();
    expect(resumed.connection.info.tls).toMatchObject({ authorized: true, certificate: { commonName: "short" } });
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
    const after = Date.now() + 6_000;
    await until(() => Date.now() > after);
    const late = dial();
    late.on("error", () => {});
    await once(late, "close");
    expect(made.made.length).toBe(2);
  });
});

test("behind a proxy the line has the client's address", async () => {
  const listening = await listen("tls", { requestCertificate: true }, { proxyProtocol: { trusted: [HOST] } });
  const { connect: plain } = await import("node:net");
  const raw = plain(listening.listener.port!, HOST);
  raw.on("error", () => {});
  raw.write("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
  const socket = connect({
    socket: raw,
    servername: "localhost",
    rejectUnauthorized: false,
    ...identityOf(bad["expired"]!),
  });
  socket.on("error", () => {});
  await until(() => listening.errors.length > 0);
  expect(listening.errors[0]?.message).toMatch(/^192\.0\.2\.1 is refused: .* has expired/);
  raw.destroy();
});

test("a subject as long as a client likes is cut in the line", async () => {
  const listening = await listen("tls", { requestCertificate: true });
  const long = ours.selfSigned(`/CN=${"x".repeat(60)}${"/O=y".repeat(200)}`);
  expect(await isServed(listening, "tls", identityOf(long))).toBe(false);
  await until(() => listening.errors.length > 0);
  expect(listening.errors[0]?.message.length).toBeLessThan(400);
});
