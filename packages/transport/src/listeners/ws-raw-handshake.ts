// The short way of a WebSocket client, without `net.Socket` and `node:http`: its request is read of a raw connection
// (raw-tcp.ts) and answered there, if it has the form of nearly all MQTT clients. A client with any other request gets a
// socket, and its handshake begins anew in ws-socket-handshake.ts, the plain twin.
import type { ConnectionHandler, PlainConnection } from "../connection.ts";
import { socketOver } from "../connections/shared-read.ts";
import { ProxiedInfo } from "../connections/socket-info.ts";
import { readPlainRequest } from "../websocket/plain-request.ts";
import { acceptance, LATE, refusalResponse, requestRefusal } from "../websocket/upgrade.ts";
import type { PreHandshakeServer } from "./pre-handshake-server.ts";
import type { WsUpgrades } from "./ws-upgrades.ts";

function tooLate(handshake: RawHandshake): void {
  handshake.late();
}

/** The first handler of a connection. Until it hands over, or the connection is closed, the connection is in `waiting`. */
export class RawHandshake implements ConnectionHandler {
  private readonly connection: PlainConnection;
  private readonly upgrades: WsUpgrades;
  private readonly preHandshake: PreHandshakeServer;
  private readonly waiting: Set<PlainConnection>;
  private readonly timer: NodeJS.Timeout;
  private isDone = false;

  constructor(
    connection: PlainConnection,
    upgrades: WsUpgrades,
    preHandshake: PreHandshakeServer,
    waiting: Set<PlainConnection>,
  ) {
    this.connection = connection;
    this.upgrades = upgrades;
    this.preHandshake = preHandshake;
    this.waiting = waiting;
    waiting.add(connection);
    this.timer = setTimeout(tooLate, upgrades.timeout, this);
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    if (this.isDone) return;
    this.decided();
    const { connection, upgrades } = this;
    const plain = readPlainRequest(bytes, start, end);
    if (plain === undefined) {
      this.fallBack(bytes, start, end);
      return;
    }
    const verdict = upgrades.decide(connection.info, plain.request, plain.text);
    if (verdict.isAccepted) {
      this.waiting.delete(connection);
      connection.write(acceptance(plain.request));
      upgrades.open(connection, verdict.info, bytes, plain.end, end);
      return;
    }
    if (verdict.refusal === undefined) connection.destroy();
    else {
      this.preHandshake.failed("WebSocket", verdict.info.remoteAddress, verdict.refusal.reason);
      connection.write(refusalResponse(verdict.refusal));
      connection.end();
    }
  }

  drain(): void {}

  closed(error: Error | undefined): void {
    this.waiting.delete(this.connection);
    if (this.isDone) return;
    this.decided();
    // Who connects and says nothing is not worth a line: health checks do that.
    if (error !== undefined) this.preHandshake.failed("WebSocket", this.connection.info.remoteAddress, error);
  }

  late(): void {
    const refusal = requestRefusal(LATE);
    this.decided();
    this.preHandshake.failed("WebSocket", this.connection.info.remoteAddress, refusal.reason);
    this.connection.write(refusalResponse(refusal));
    this.connection.end();
  }

  private decided(): void {
    this.isDone = true;
    clearTimeout(this.timer);
  }

  private fallBack(bytes: Uint8Array, start: number, end: number): void {
    const { connection, preHandshake, upgrades } = this;
    const { info } = connection;
    const { readBuffer } = upgrades.options;
    this.waiting.delete(connection);
    const handle = connection.detach();
    if (handle === undefined || readBuffer === undefined) {
      connection.destroy();
      return;
    }
    const socket = socketOver(handle, readBuffer);
    socket.unshift(new Uint8Array(bytes.subarray(start, end)));
    const source =
      info instanceof ProxiedInfo ? { address: info.remoteAddress, port: info.remotePort ?? 0 } : undefined;
    preHandshake.admitted(socket, source);
  }
}
