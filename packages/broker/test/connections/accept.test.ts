// Sockets that a program has accepted itself: what plugins get to know of their clients is what the socket says.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { duplexPair } from "node:stream";
import { createServer as createTlsServer, type TLSSocket, connect as tlsConnect } from "node:tls";
import type { ClientInfo } from "@wrenmq/plugin-api";
import { fromDuplex } from "@wrenmq/transport";
import { beforeAll, expect, onTestFinished, test } from "vitest";
// The transport's tests make certificates; another maker of them would be a copy.
import { Authority, type Issued } from "../../../transport/test/certificates.ts";
import { type AcceptOptions, type Broker, createBroker } from "../../src/index.ts";
import { pluginOf, RawClient, RealPace } from "../support.ts";

let root: Authority;
let server: Issued;
let device: Issued;
let stranger: Issued;
beforeAll(async () => {
  root = await Authority.root("CN=Root");
  server = await root.issue({ name: "CN=localhost", names: [{ type: "dns", value: "localhost" }] });
  device = await root.issue({ name: "CN=device-1" });
  stranger = await (await Authority.root("CN=Other root")).issue({ name: "CN=device-1" });
});

/** Lets everybody in, under the name in the certificate if there is one. */
const byCertificate = pluginOf("certificate", {
  authenticate: ({ certificate }) => ({ reasonCode: 0, rule: "r", username: certificate?.commonName }),
});

async function started(): Promise<Broker> {
  const broker = createBroker({
    sys: { intervalSeconds: 0 },
    plugins: [byCertificate],
    listeners: { own: { type: "external" } },
  });
  await broker.start();
  onTestFinished(() => broker.shutdown());
  return broker;
}

async function listening(made: Server): Promise<number> {
  made.listen(0, "127.0.0.1");
  await once(made, "listening");
  onTestFinished(() => void made.close());
  return (made.address() as AddressInfo).port;
}

async function entered(broker: Broker, ours: Socket): Promise<ClientInfo> {
  onTestFinished(() => void ours.destroy());
  await new RawClient(fromDuplex(ours), 5, new RealPace()).connect({ clientId: "a" });
  const [client] = broker.clients();
  if (client === undefined) throw new Error("nobody is there");
  return client;
}

test("a TCP socket has its address", async () => {
  const broker = await started();
  const port = await listening(createServer((socket) => broker.accept(socket, { listener: "own" })));
  const ours = connect(port, "127.0.0.1");
  const client = await entered(broker, ours);
  expect(client).toMatchObject({ remoteAddress: "127.0.0.1", remotePort: ours.localPort, secure: false });
  expect(client.certificate).toBeUndefined();
});

async function overTls(options: Partial<AcceptOptions>, mine: Partial<Issued>): Promise<ClientInfo> {
  const broker = await started();
  const settings = { cert: server.cert, key: server.key, ca: root.cert, requestCert: true, rejectUnauthorized: false };
  const made = createTlsServer(settings);
  made.on("secureConnection", (socket: TLSSocket) => broker.accept(socket, { listener: "own", ...options }));
  const port = await listening(made);
  const { cert, key } = mine;
  const own = cert === undefined || key === undefined ? {} : { cert, key };
  const ours = tlsConnect({ port, host: "127.0.0.1", servername: "localhost", ca: root.cert, ...own });
  return entered(broker, ours);
}

test("a TLS socket is secure, and a client certificate that was verified names the user", async () => {
  const client = await overTls({}, device);
  expect(client).toMatchObject({ remoteAddress: "127.0.0.1", secure: true, username: "device-1" });
  expect(client.certificate).toMatchObject({ commonName: "device-1", subject: "CN=device-1" });
});

test("without a certificate, and with one of a stranger's authority, it is secure and nobody's", async () => {
  for (const mine of [{}, stranger]) {
    const client = await overTls({}, mine);
    expect(client).toMatchObject({ secure: true, username: undefined, certificate: undefined });
  }
});

test("what the program says counts more", async () => {
  const client = await overTls({ remoteAddress: "192.0.2.7", remotePort: 7 }, device);
  expect(client).toMatchObject({ remoteAddress: "192.0.2.7", remotePort: 7, username: "device-1" });
});

test("what it says wrongly is refused, and the stream is not touched", async () => {
  const broker = await started();
  const [stream] = duplexPair();
  const accept = (options: object): unknown => {
    try {
      return broker.accept(stream, options as AcceptOptions);
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(accept({})).toBe("accept(): listener: is missing; expected a text that is not empty");
  expect(accept({ listener: "own", remoteAdress: "::1" })).toMatch(/did you mean "remoteAddress"/);
  expect(accept({ listener: "own", remotePort: "1" })).toMatch(/remotePort: expected a whole number/);
  expect(accept({ listener: "own", socket: {} })).toMatch(/socket: expected a stream/);
  const connection = fromDuplex(stream);
  const said = { listener: "own", remoteAddress: "::1" };
  expect(() => broker.accept(connection, said)).toThrow(expect.objectContaining({ option: "remoteAddress" }));
  expect(() => broker.accept({} as never, { listener: "own" })).toThrow("expected a Duplex stream");
  expect(stream.destroyed).toBe(false);
});
