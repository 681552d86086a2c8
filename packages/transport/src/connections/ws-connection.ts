// One WebSocket as a Connection: a stream that has been upgraded, the frames in it, and the order of closing. Binary frames
// come in whatever pieces; one MQTT packet goes out in each. [RFC 6455, 5 to 7]
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Connection, ConnectionHandler, ConnectionInfo } from "../connection.ts";
import { nextConnectionId } from "../connection.ts";
import type { ConnectionCount } from "./stream-connection.ts";
import { CloseCode, type FrameSink, WsFrameReader } from "./ws-frame-reader.ts";
import { closeFrame, framesWritten, pongFrame, WsFrameWriter } from "./ws-frame-writer.ts";

/** Bytes that may wait while pings are answered: who sends them and does not read is not answered any more. */
const MOST_PONG_BACKLOG = 16_384;

type Owned = Duplex & { [owner]?: WsConnection };
const owner: unique symbol = Symbol("connection");

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
function destroyStream(stream: Duplex): void {
  stream.destroy();
}

export interface WsConnectionOptions {
  readonly lingerTimeout: number;
  /** Bytes of one message. */
  readonly maxMessage: number;
  readonly count: ConnectionCount;
}

export class WsConnection implements Connection, FrameSink {
  readonly id: number = nextConnectionId();
  readonly info: ConnectionInfo;
  private readonly stream: Owned;
  private readonly count: ConnectionCount;
  private readonly lingerTimeout: number;
  private readonly reader: WsFrameReader;
  private readonly writer = new WsFrameWriter();
  /** TLS is never done when `write` returns. */
  private readonly isQuick: boolean;
  private readonly written = (): void => this.drained();
  private handler: ConnectionHandler | undefined;
  private linger: NodeJS.Timeout | undefined;
  private error: Error | undefined;
  /** What was read and not looked at when the handler paused. */
  private rest: Uint8Array | undefined;
  private blocked = false;
  private paused = false;
  /** Nothing more is written: the close frame has been. */
  private ending = false;
  /** Nothing more is read: that of the client has come, or it broke the protocol. */
  private heard = false;
  private over = false;

  constructor(stream: Duplex, info: ConnectionInfo, { lingerTimeout, maxMessage, count }: WsConnectionOptions) {
    this.stream = stream;
    this.info = info;
    this.lingerTimeout = lingerTimeout;
    this.count = count;
    this.isQuick = !(stream instanceof TLSSocket);
    this.reader = new WsFrameReader(this, maxMessage);
    count.connections += 1;
    this.stream[owner] = this;
    stream.on("end", onEnd);
    stream.on("error", onError);
    stream.on("close", onClose);
  }

  /** @param head what came behind the request */
  attach(handler: ConnectionHandler, head: Uint8Array): void {
    this.handler = handler;
    if (head.length > 0) {
      if (this.paused) this.rest = head;
      else this.received(head, 0, head.length);
    }
    this.stream.on("data", onData);
    if (this.paused) this.stream.pause();
  }

  write(bytes: Uint8Array): boolean {
    const { stream } = this;
    if (this.ending || stream.destroyed || bytes.length === 0) return true;
    const pieces = this.writer.frames(bytes, this.isQuick);
    const last = pieces.length - 1;
    if (last > 0) stream.cork();
    for (let index = 0; index < last; index++) stream.write(pieces[index]);
    stream.write(pieces[last], this.written);
    if (last > 0) stream.uncork();
    if (stream.writableLength === 0) {
      framesWritten();
      return true;
    }
    this.blocked = true;
    return false;
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
    if (!this.ending) this.finish(CloseCode.Normal);
  }

  destroy(): void {
    this.ending = true;
    this.stream.destroy();
  }

  // ── the stream ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @internal */
  received(bytes: Uint8Array, start: number, end: number): void {
    if (this.heard) return;
    const read = this.reader.read(bytes, start, end);
    if (read < end) this.rest = bytes.subarray(read, end);
  }

  /** The client has sent its last byte. @internal */
  peerEnded(): void {
    this.heard = true;
    this.ending = true;
    this.stream.end();
    this.startLinger();
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
    this.count.connections -= 1;
    this.handler?.closed(this.error);
  }

  private drained(): void {
    if (!this.blocked || this.ending || this.stream.writableLength > 0 || this.stream.destroyed) return;
    this.blocked = false;
    this.handler?.drain();
  }

  // ── frames ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @internal */
  payload(bytes: Uint8Array, start: number, end: number): boolean {
    // Whoever has ended the connection only waits for the close frame.
    if (!this.ending) this.handler?.data(bytes, start, end);
    return !this.paused;
  }

  /** @internal */
  ping(payload: Uint8Array): void {
    const { stream } = this;
    if (!this.ending && stream.writableLength < MOST_PONG_BACKLOG) stream.write(pongFrame(payload), this.written);
  }

  /** @internal */
  close(code: number | undefined): void {
    this.heard = true;
    if (!this.ending) this.finish(code);
    this.stream.end();
  }

  /** @internal */
  violation(code: number, reason: string): void {
    this.heard = true;
    this.error ??= new Error(reason);
    if (!this.ending) this.finish(code);
    this.stream.end();
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The close frame queues behind the data; then the client answers with its own. */
  private finish(code: number | undefined): void {
    this.ending = true;
    this.paused = false;
    this.stream.write(closeFrame(code));
    this.startLinger();
    if (this.rest !== undefined) queueMicrotask(() => this.resumeRest());
    else this.stream.resume();
  }

  private startLinger(): void {
    this.linger ??= setTimeout(destroyStream, this.lingerTimeout, this.stream);
  }

  private resumeRest(): void {
    const { rest } = this;
    if (rest === undefined || this.paused) return;
    this.rest = undefined;
    this.received(rest, 0, rest.length);
    if (!this.paused && !this.stream.destroyed) this.stream.resume();
  }
}
