// A stream that lies on a socket tells what the socket tells.
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { createWebSocketStream, WebSocket, WebSocketServer } from "ws";
import { type ConnectionInfo, fromDuplex } from "../../src/index.ts";
import { Authority } from "../certificates.ts";

test("a WebSocket stream: address, TLS and client certificate of the socket below it", async () => {
  const root = await Authority.root("CN=Root");
  const server = await root.issue({ name: "CN=localhost", names: [{ type: "dns", value: "localhost" }] });
  const device = await root.issue({ name: "CN=device-1" });
  const { cert, key } = server;
  const web = createServer({ cert, key, ca: root.cert, requestCert: true });
  const sockets = new WebSocketServer({ server: web });
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  onTestFinished(() => {
    sockets.close();
    web.closeAllConnections();
    web.close();
  });
  const infos = new Promise<ConnectionInfo[]>((resolve) => {
    sockets.on("connection", (socket, request) => {
      const stream = createWebSocketStream(socket);
      stream.on("error", () => {});
      const { headers } = request;
      const named = Object.assign(new Duplex(), { socket });
      resolve([
        fromDuplex(stream, { socket: request.socket, headers }).info,
        fromDuplex(named).info,
        fromDuplex(stream).info,
      ]);
    });
  });
  const { port } = web.address() as AddressInfo;
  const client = new WebSocket(`wss://localhost:${port}/mqtt`, "mqtt", {
    ca: root.cert,
    cert: device.cert,
    key: device.key,
    lookup: (_name, options, found) => {
      if (options.all === true) found(null, [{ address: "127.0.0.1", family: 4 }]);
      else found(null, "127.0.0.1", 4);
    },
  });
  client.on("error", () => {});
  onTestFinished(() => client.terminate());
  const [told, below, silent] = await infos;
  const expected = { transport: "external", remoteAddress: "127.0.0.1", tls: { authorized: true } };
  expect(told).toMatchObject({ ...expected, headers: { "sec-websocket-protocol": "mqtt" } });
  expect(told?.tls?.certificate?.commonName).toBe("device-1");
  expect(below).toMatchObject(expected);
  // The package ws keeps no way from its stream to the socket: nothing is guessed.
  expect(silent).toEqual({ transport: "external", remoteAddress: "", remotePort: undefined });
});
