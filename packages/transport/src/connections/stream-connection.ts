// A connected Node stream (socket, TLS socket, any Duplex) as a Connection; owns the order of closing. For the sake of
// many idle connections, event listeners are shared functions that find their connection on the stream itself.
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { ConnectionHandler, ConnectionInfo, PlainConnection } from "../connection.ts";
import { nextConnectionId } from "../connection.ts";
import { DEFAULT_LINGER_MS } from "../listener-config.ts";
import { takeSocketHandle } from "./raw-handle.ts";

const owner: unique symbol = Symbol("connection");
type Owned = Duplex & { [owner]?: StreamConnection };

function onData(this: Owned, chunk: Uint8Array): void {
  this[owner]?.received(chunk, 0, chunk.length);
}
function onEnd(this: Owned): void {
  this[owner]?.peerEnded();
}
function onError(this: Owned, error: Error): void {
  this[owner]?.failed(error);
}
function onClose(this: Owned): void {
  this[owner]?.gone();
}
function onDrain(this: Owned): void {
  this[owner]?.drained();
}
function endConnection(connection: StreamConnection): void {
  connection.end();
}
function destroyStream(stream: Duplex): void {
  stream.destroy();
}

/** The connection that owns a stream; for read paths that bypass the "data" event. */
export function connectionOf(stream: Duplex): StreamConnection | undefined {
  return (stream as Owned)[owner];
}

/**
 * How bytes get in and out.
 *
 * shared: made by shared-read.ts; bytes arrive through `received` without the "data" event, and "drain" follows every
 * write that does not finish at once.
 * socket: any other socket; the system has copied what `write` has taken.
 * duplex: any other stream; it may keep a reference to what was written (a PassThrough does), so it gets a copy.
 */
export type StreamWay = "shared" | "socket" | "duplex";

/** Counter of the open connections of one listener. */
export interface ConnectionCount {
  connections: number;
}

export class StreamConnection implements PlainConnection {
  readonly id: number = nextConnectionId();
  info: ConnectionInfo;
  private readonly stream: Duplex;
  private readonly count: ConnectionCount | undefined;
  private readonly lingerTimeout: number;
  private readonly way: StreamWay;
  private handler: ConnectionHandler | undefined;
  private written: ((error?: Error | null) => void) | undefined;
  /** Bytes that arrived before there was a handler: the connection starts paused. */
  private rest: Uint8Array | undefined;
  private linger: NodeJS.Timeout | undefined;
  private error: Error | undefined;
  private listensForDrain = false;
  private blocked = false;
  private paused = false;
  private ending = false;
  private over = false;

  constructor(
    stream: Duplex,
    info: ConnectionInfo,
    lingerTimeout: number = DEFAULT_LINGER_MS,
    count?: ConnectionCount,
    way: StreamWay = "socket",
  ) {
    this.stream = stream;
    this.info = info;
    this.lingerTimeout = lingerTimeout;
    this.count = count;
    this.way = way;
    if (count !== undefined) count.connections += 1;
    (stream as Owned)[owner] = this;
    stream.on("end", onEnd);
    stream.on("error", onError);
    stream.on("close", onClose);
  }

  /** `write` to a TLS socket never finishes before it returns. */
  get isQuick(): boolean {
    return !(this.stream instanceof TLSSocket);
  }

  attach(handler: ConnectionHandler): void {
    this.handler = handler;
    if (this.over) {
      queueMicrotask(() => handler.closed(this.error));
      return;
    }
    this.startReading();
  }

  /** For a connection whose first handler came with `handOver`. */
  startReading(): void {
    if (this.way !== "shared") this.stream.on("data", onData);
    if (!this.paused) this.stream.resume();
  }

  handOver(handler: ConnectionHandler, bytes: Uint8Array, start: number, end: number): void {
    this.handler = handler;
    if (start === end) return;
    if (this.paused) this.rest = new Uint8Array(bytes.subarray(start, end));
    else this.received(bytes, start, end);
  }

  detach(): object | undefined {
    const { stream } = this;
    if (this.ending || this.over || stream.writableLength > 0 || !(stream instanceof Socket)) return undefined;
    const handle = takeSocketHandle(stream);
    if (handle === undefined) return undefined;
    this.handler = undefined;
    this.over = true;
    this.ending = true;
    if (this.count !== undefined) this.count.connections -= 1;
    return handle;
  }

  write(bytes: Uint8Array): boolean {
    if (this.ending || this.stream.destroyed) return true;
    this.pass(bytes);
    return this.isTaken();
  }

  writeAll(pieces: readonly Uint8Array[]): boolean {
    const { stream } = this;
    if (this.ending || stream.destroyed) return true;
    stream.cork();
    for (const piece of pieces) this.pass(piece);
    stream.uncork();
    return this.isTaken();
  }

  pause(): void {
    if (this.ending) return;
    this.paused = true;
    this.stream.pause();
  }

  resume(): void {
    this.paused = false;
    if (this.rest !== undefined) queueMicrotask(() => this.resumeRest());
    else if (this.handler !== undefined && !this.stream.destroyed) this.stream.resume();
  }

  end(): void {
    if (this.ending || this.over) return;
    this.ending = true;
    this.paused = false;
    const stream = this.stream;
    if (this.way !== "shared" && this.handler === undefined) stream.on("data", onData);
    stream.resume();
    stream.end();
    this.linger = setTimeout(destroyStream, this.lingerTimeout, stream);
  }

  destroy(): void {
    this.ending = true;
    this.stream.destroy();
  }

  /** @internal */
  received(bytes: Uint8Array, start: number, end: number): void {
    if (!this.ending) this.handler?.data(bytes, start, end);
  }

  /** @internal */
  goOn(): void {
    if (!this.paused && !this.stream.destroyed) this.stream.resume();
  }

  /**
   * The peer has half-closed. What the handler writes within the same turn of the event loop is still sent.
   * @internal
   */
  peerEnded(): void {
    if (!this.ending) setImmediate(endConnection, this);
  }

  /** @internal */
  failed(error: Error): void {
    this.error ??= error;
    this.stream.destroy();
  }

  /** @internal */
  gone(): void {
    if (this.over) return;
    this.over = true;
    this.ending = true;
    clearTimeout(this.linger);
    if (this.count !== undefined) this.count.connections -= 1;
    this.handler?.closed(this.error);
  }

  private pass(bytes: Uint8Array): void {
    const { stream } = this;
    if (this.way === "shared") {
      // Nearly every write of a socket is done when write() returns; a callback would cost each of them a turn of the
      // microtask queue. These sockets have a high-water mark of one byte, so "drain" follows the others.
      stream.write(bytes);
      return;
    }
    // One function for all writes of a connection: Node then batches the callbacks of writes that finish at once.
    this.written ??= () => this.drained();
    stream.write(this.way === "duplex" ? new Uint8Array(bytes) : bytes, this.written);
  }

  private isTaken(): boolean {
    const { stream } = this;
    if (stream.writableLength === 0) return true;
    if (this.way === "shared" && !this.listensForDrain) {
      stream.on("drain", onDrain);
      this.listensForDrain = true;
    }
    this.blocked = true;
    return false;
  }

  private resumeRest(): void {
    const rest = this.rest;
    if (rest === undefined || this.paused) return;
    this.rest = undefined;
    this.received(rest, 0, rest.length);
    if (!this.paused && !this.stream.destroyed) this.stream.resume();
  }

  /** @internal */
  drained(): void {
    if (!this.blocked || this.stream.writableLength > 0 || this.stream.destroyed) return;
    this.blocked = false;
    if (!this.ending) this.handler?.drain();
  }
}
