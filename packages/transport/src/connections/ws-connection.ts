// One WebSocket as a Connection: owns the upgraded stream and the order of closing. Incoming binary frames may be cut
// anywhere; each outgoing frame contains one MQTT packet. [RFC 6455, 5 to 7]
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Connection, ConnectionHandler, ConnectionInfo } from "../connection.ts";
import { nextConnectionId } from "../connection.ts";
import type { ConnectionCount } from "./stream-connection.ts";
import { CloseCode, type FrameSink, WsFrameReader } from "./ws-frame-reader.ts";
import { closeFrame, framesWritten, pongFrame, WsFrameWriter } from "./ws-frame-writer.ts";

/** Bytes of unsent answers beyond which pings are not answered: the client does not read. */
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
  /** `write` to a TLS socket never finishes before it returns. */
  private readonly isQuick: boolean;
  private readonly written = (): void => this.drained();
  private handler: ConnectionHandler | undefined;
  private linger: NodeJS.Timeout | undefined;
  private error: Error | undefined;
  /** Bytes that arrived while the handler was paused. */
  private rest: Uint8Array | undefined;
  private blocked = false;
  private paused = false;
  /** The close frame has been sent: nothing more is written. */
  private ending = false;
  /** The client has sent its close frame, or has broken the protocol: nothing more is read. */
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

  /** @param head bytes that followed the HTTP request */
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

  /**
   * The client has half-closed.
   * @internal
   */
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
    // After `end()` only the close frame of the client is awaited.
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

  /** Sends the close frame after the data; the client answers with its own. */
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
