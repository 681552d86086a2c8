// Who may resume a TLS session where, with raw handles and with Node's sockets.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { checkTls, createListener, type Listener, type ListenerContext, type TlsConfig } from "../../src/index.ts";
import { Authority, type Issued } from "../certificates.ts";
import { echo, gather, until } from "../support.ts";

let root: Authority;
let server: Issued;
let named: Issued;
let device: Issued;
let folder: string;
beforeAll(async () => {
  root = await Authority.root("CN=Root");
  server = await root.issue({ name: "CN=localhost" });
  named = await root.issue({ name: "CN=named.example" });
  device = await root.issue({ name: "CN=device" });
  folder = await mkdtemp(join(tmpdir(), "wrenmq-"));
});
afterAll(() => rm(folder, { recursive: true }));

const listeners: Listener[] = [];
const sockets: TLSSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const listener of listeners.splice(0)) await listener.close();
});

const secret = new Uint8Array(32).fill(1);
const readBuffer = { bytes: new Uint8Array(65_536), start: 0, length: 65_536 };

describe.each<[string, ListenerContext]>([
  ["Node's sockets", { ticketSecret: secret }],
  ["raw handles", { ticketSecret: secret, readBuffer }],
])("with %s", (_, way) => {
  async function listen(tls: Partial<TlsConfig> = {}, context: ListenerContext = {}): Promise<Listener> {
    const config: TlsConfig = { certificates: [server], watchInterval: 0, ...tls };
    const listener = createListener({ type: "tls", host: "127.0.0.1", port: 0, tls: config }, echo, {
      ...way,
      ...context,
    });
    await listener.listen();
    listeners.push(listener);
    return listener;
  }

  async function visit(
    listener: Listener,
    options: ConnectionOptions = {},
  ): Promise<{ readonly isServed: boolean; readonly isResumed: boolean; readonly session: Buffer | undefined }> {
    const socket = connect({ port: listener.port!, host: "127.0.0.1", rejectUnauthorized: false, ...options });
    sockets.push(socket);
    let session: Buffer | undefined;
    let isClosed = false;
    socket
      .on("error", () => {})
      .on("session", (given: Buffer) => {
        session = given;
      })
      .on("close", () => {
        isClosed = true;
      });
    const got = gather(socket);
    socket.write("x");
    await until(() => isClosed || got.size > 0);
    const isResumed = socket.isSessionReused();
    socket.destroy();
    if (!isClosed) await once(socket, "close");
    return { isServed: got.size > 0, isResumed, session };
  }

  const RESUMED = { isServed: true, isResumed: true };
  const AFRESH = { isServed: true, isResumed: false };
  const REFUSED = { isServed: false };
  const identity = (): ConnectionOptions => ({ cert: device.cert, key: device.key });
  const withCertificates = (): Partial<TlsConfig> => ({ requireCertificate: true, ca: root.cert });

  describe.each(["TLSv1.2", "TLSv1.3"] as const)("%s", (version) => {
    const versions: ConnectionOptions = { minVersion: version, maxVersion: version };

    test("at every listener with the same secret, and at no other", async () => {
      const { session } = await visit(await listen(), versions);
      const again = { ...versions, session };
      expect(await visit(await listen(), again)).toMatchObject(RESUMED);
      const ofAnother = await listen({}, { ticketSecret: new Uint8Array(32).fill(2) });
      expect(await visit(ofAnother, again)).toMatchObject(AFRESH);
    });

    test("who has shown a certificate stays who he is", async () => {
      const options = { ...versions, ...identity() };
      const { session } = await visit(await listen(withCertificates()), options);
      const other = await listen(withCertificates());
      expect(await visit(other, { ...options, session })).toMatchObject(RESUMED);
      // The ticket has the certificate; the client need not show it again.
      expect(await visit(other, { ...versions, session })).toMatchObject(RESUMED);
    });

    test("not past other rules: a certificate that is required now, another authority, a revocation", async () => {
      const { session } = await visit(await listen(), versions);
      expect(await visit(await listen(withCertificates()), { ...versions, session })).toMatchObject(REFUSED);

      const options = { ...versions, ...identity() };
      const first = await visit(await listen(withCertificates()), options);
      const foreign = (await Authority.root("CN=Foreign")).cert;
      for (const rules of [{ ca: foreign }, { crl: await root.revoke(device.serial) }]) {
        const strict = await listen({ ...withCertificates(), ...rules });
        expect(await visit(strict, { ...options, session: first.session })).toMatchObject(REFUSED);
      }
    });

    test("with a certificate that was selected by name", async () => {
      const certificates = (): TlsConfig["certificates"] => [server, { ...named, servernames: ["named.example"] }];
      const options = { ...versions, servername: "named.example" };
      const { session } = await visit(await listen({ certificates: certificates() }), options);
      const other = await listen({ certificates: certificates() });
      expect(await visit(other, { ...options, session })).toMatchObject(RESUMED);
    });

    test("never, where no lifetime is given", async () => {
      const listener = await listen({ sessionLifetime: 0 });
      const { session } = await visit(listener, versions);
      expect(await visit(listener, { ...versions, session })).toMatchObject(AFRESH);
    });

    test("with the secret of a file, also after a restart", async () => {
      const sessionKeyFile = join(folder, "secret");
      await writeFile(sessionKeyFile, new Uint8Array(48).fill(3));
      const { session } = await visit(await listen({ sessionKeyFile }), versions);
      const other = { ticketSecret: new Uint8Array(32).fill(9) };
      const later = await listen({ sessionKeyFile }, other);
      expect(await visit(later, { ...versions, session })).toMatchObject(RESUMED);
      await writeFile(sessionKeyFile, new Uint8Array(48).fill(4));
      await later.reloadCertificates?.();
      expect(await visit(later, { ...versions, session })).toMatchObject(AFRESH);
    });
  });
});

test("a secret that is too short, or is not there, keeps the listener from starting", async () => {
  const short = join(folder, "short");
  await writeFile(short, "password");
  const missing = join(folder, "missing");
  const problems = async (sessionKeyFile: string): Promise<string[]> =>
    (await checkTls({ certificates: [server], sessionKeyFile })).problems.map(({ message }) => message);
  expect(await problems(short)).toEqual([`tls.sessionKeyFile: ${short}: expected at least 32 random bytes`]);
  expect(await problems(missing)).toEqual([`tls.sessionKeyFile: ${missing}: no such file`]);
});
