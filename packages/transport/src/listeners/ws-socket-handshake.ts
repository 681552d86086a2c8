// The way of a WebSocket client on a socket, TLS or not: a request of the usual form is read here, every other one by
// the HTTP server of Node.
import { createServer, type Server as HttpServer } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { SocketInfo } from "../connections/socket-info.ts";
import { StreamConnection } from "../connections/stream-connection.ts";
import { clientHasLeft } from "../handshake-error.ts";
import { TlsSocketInfo } from "../tls/tls-info.ts";
import { readPlainRequest, type UpgradeRequest } from "../websocket/plain-request.ts";
import {
  acceptance,
  LATE,
  type Refusal,
  type RequestError,
  refusalResponse,
  requestRefusal,
} from "../websocket/upgrade.ts";
import type { PreHandshakeServer } from "./pre-handshake-server.ts";
import type { WsUpgrades } from "./ws-upgrades.ts";

export class SocketHandshakes {
  readonly server: HttpServer;
  private readonly upgrades: WsUpgrades;
  private readonly preHandshake: PreHandshakeServer;

  constructor(upgrades: WsUpgrades, preHandshake: PreHandshakeServer) {
    this.upgrades = upgrades;
    this.preHandshake = preHandshake;
    this.server = this.httpServer();
  }

  /** Waits for the request. */
  begin(socket: Socket): void {
    const stop = (): void => {
      socket.off("data", read).off("end", ended).off("error", failed).off("timeout", late);
      socket.setTimeout(0);
    };
    const read = (bytes: Buffer): void => {
      stop();
      const plain = readPlainRequest(bytes, 0, bytes.length);
      if (plain !== undefined) {
        this.upgrade(socket, bytes.subarray(plain.end), plain.request, plain.text);
        return;
      }
      socket.pause();
      socket.unshift(bytes);
      this.server.emit("connection", socket);
      socket.resume();
    };
    const ended = (): void => {
      stop();
      socket.end();
    };
    const failed = (error: Error): void => {
      stop();
      this.failed(error, socket);
    };
    const late = (): void => failed(LATE);
    socket.setTimeout(this.upgrades.timeout);
    socket.on("data", read).on("end", ended).on("error", failed).on("timeout", late);
  }

  private httpServer(): HttpServer {
    const { timeout } = this.upgrades;
    const server = createServer({
      headersTimeout: timeout,
      requestTimeout: timeout,
      keepAliveTimeout: 1,
      connectionsCheckingInterval: Math.min(timeout, 5000),
    });
    // Requests without an upgrade: nothing is served here.
    server.on("request", (_request, response) => {
      response.writeHead(426, { Connection: "close, Upgrade", Upgrade: "websocket" }).end();
    });
    server.on("upgrade", (request, _stream, head: Buffer) => this.upgrade(request.socket, head, request));
    server.on("clientError", (cause: RequestError, stream) => this.failed(cause, stream as Socket));
    // The server never listens; without this event it does not enforce its timeouts.
    server.emit("listening");
    return server;
  }

  private failed(cause: RequestError, socket: Socket): void {
    const { preHandshake } = this;
    const refusal = requestRefusal(cause);
    preHandshake.failed("WebSocket", preHandshake.clientOf(socket), clientHasLeft(cause) ? cause : refusal.reason);
    preHandshake.arrived(socket);
    refuse(socket, refusal);
  }

  private upgrade(socket: Socket, head: Uint8Array, request: UpgradeRequest, text?: string): void {
    const { preHandshake, upgrades } = this;
    const source = preHandshake.arrived(socket);
    const direct =
      socket instanceof TLSSocket ? new TlsSocketInfo("wss", socket, source) : new SocketInfo("ws", socket, source);
    const verdict = upgrades.decide(direct, request, text);
    if (!verdict.isAccepted) {
      if (verdict.refusal === undefined) socket.destroy();
      else {
        preHandshake.failed("WebSocket", verdict.info.remoteAddress, verdict.refusal.reason);
        refuse(socket, verdict.refusal);
      }
      return;
    }
    // Who half-closes still gets the answers to what it has sent. A TLS server has no option for that.
    socket.allowHalfOpen = true;
    socket.setTimeout(0);
    socket.setNoDelay();
    socket.write(acceptance(request));
    const below = new StreamConnection(socket, direct, upgrades.lingerTimeout);
    upgrades.open(below, verdict.info, head, 0, head.length);
    below.startReading();
  }
}

function refuse(socket: Socket, refusal: Refusal): void {
  socket.on("error", () => socket.destroy());
  socket.end(refusalResponse(refusal), () => socket.destroy());
}
