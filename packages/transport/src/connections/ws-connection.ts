// One WebSocket as a Connection: MQTT bytes in binary frames, in whatever pieces they come.
import type { WebSocket } from "ws";
import type { Connection, ConnectionHandler, ConnectionInfo } from "../connection.ts";
import { nextConnectionId } from "../connection.ts";
import type { ConnectionCount } from "./stream-connection.ts";

const NORMAL = 1000;
const UNSUPPORTED_DATA = 1003;

type Owned = WebSocket & { [owner]?: WsConnection };
const owner: unique symbol = Symbol("connection");

function onMessage(this: Owned, data: unknown, isBinary: boolean): void {
  this[owner]?.message(data as readonly Uint8Array[], isBinary);
}
function onError(this: Owned, error: Error): void {
  this[owner]?.failed(error);
}
function onClose(this: Owned): void {
  this[owner]?.gone();
}

export class WsConnection implements Connection {
  readonly id: number = nextConnectionId();
  readonly info: ConnectionInfo;
  private readonly socket: Owned;
  private readonly count: ConnectionCount;
  private readonly lingerMs: number;
  private handler: ConnectionHandler | undefined;
  private sent: (() => void) | undefined;
  private linger: NodeJS.Timeout | undefined;
  private error: Error | undefined;
  /** Pieces that were already read from the socket when the handler paused. */
  private readonly held: Uint8Array[] = [];
  private blocked = false;
  private paused = false;
  private ending = false;

  constructor(socket: WebSocket, info: ConnectionInfo, lingerMs: number, count: ConnectionCount) {
    this.socket = socket;
    this.info = info;
    this.lingerMs = lingerMs;
    this.count = count;
    count.connections += 1;
    this.socket[owner] = this;
    // The pieces of a message as they came: joining them would be a copy for nothing.
    socket.binaryType = "fragments";
    socket.on("message", onMessage);
    socket.on("error", onError);
    socket.on("close", onClose);
  }

  attach(handler: ConnectionHandler): void {
    this.handler = handler;
  }

  write(bytes: Uint8Array): boolean {
    if (this.ending || this.socket.readyState !== this.socket.OPEN) return true;
    this.sent ??= () => this.drained();
    this.socket.send(bytes, { binary: true, compress: false }, this.sent);
    if (this.socket.bufferedAmount === 0) return true;
    this.blocked = true;
    return false;
  }

  pause(): void {
    if (this.ending) return;
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    this.paused = false;
    if (this.held.length > 0) queueMicrotask(() => this.release());
    else this.socket.resume();
  }

  end(): void {
    if (this.ending) return;
    this.finish(NORMAL);
  }

  destroy(): void {
    this.ending = true;
    this.socket.terminate();
  }

  /** @internal */
  message(pieces: readonly Uint8Array[], isBinary: boolean): void {
    if (this.ending) return;
    if (!isBinary) {
      this.error = new Error("a text frame came, MQTT is in binary ones");
      this.finish(UNSUPPORTED_DATA); // [MQTT-6.0.0-1]
      return;
    }
    for (const piece of pieces) this.piece(piece);
  }

  /** @internal */
  failed(error: Error): void {
    this.error ??= error;
    this.ending = true;
    // ws has already sent the close frame that says why; the answer may never come.
    this.startLinger();
  }

  /** @internal */
  gone(): void {
    this.ending = true;
    clearTimeout(this.linger);
    this.count.connections -= 1;
    this.handler?.closed(this.error);
  }

  private piece(bytes: Uint8Array): void {
    if (this.paused) this.held.push(bytes);
    else if (!this.ending) this.handler?.data(bytes, 0, bytes.length);
  }

  private release(): void {
    while (!this.paused) {
      const bytes = this.held.shift();
      if (bytes === undefined) {
        this.socket.resume();
        return;
      }
      this.piece(bytes);
    }
  }

  /** The close frame queues behind the data; then the other side answers with its own. */
  private finish(code: number): void {
    this.ending = true;
    this.paused = false;
    this.held.length = 0;
    this.socket.resume();
    this.socket.close(code);
    this.startLinger();
  }

  private startLinger(): void {
    this.linger ??= setTimeout(() => this.socket.terminate(), this.lingerMs);
  }

  private drained(): void {
    if (!this.blocked || this.ending || this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount > 0) return;
    this.blocked = false;
    this.handler?.drain();
  }
}
