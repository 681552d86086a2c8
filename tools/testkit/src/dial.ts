// Connections to a broker over real sockets.
import { connect } from "node:net";
import { type ExternalConnection, fromDuplex } from "@wrenmq/transport";
import { createWebSocketStream, WebSocket } from "ws";

export function dialTcp(host: string, port: number): Promise<ExternalConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(fromDuplex(socket, {}));
    });
  });
}

/** @param url `ws://127.0.0.1:9001` */
export function dialWebSocket(url: string): Promise<ExternalConnection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, "mqtt");
    const stream = createWebSocketStream(socket);
    stream.once("error", reject);
    socket.once("open", () => {
      stream.off("error", reject);
      resolve(fromDuplex(stream, {}));
    });
  });
}
