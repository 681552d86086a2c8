// One WebSocket as a Connection: owns the frames, what waits to be written, and the order of closing, on a connection
// below that carries the bytes. Incoming binary frames may be cut anywhere; each outgoing frame contains one MQTT packet.
// [RFC 6455, 5 to 7]
import type { Connection, ConnectionHandler, ConnectionInfo, PlainConnection } from "../connection.ts";
import type { ConnectionCount } from "../connections/stream-connection.ts";
import { CloseCode, type FrameSink, WsFrameReader } from "./frame-reader.ts";
import { closeFrame, framesWritten, pongFrame, WsFrameWriter } from "./frame-writer.ts";

/** Bytes of unsent answers beyond which pings are not answered: the client does not read. */
const MOST_PONG_BACKLOG = 16_384;

function destroyConnection(connection: Connection): void {
  connection.destroy();
}

/** What the connections of one listener share. */
export interface WsSite {
  readonly lingerTimeout: number;
  /** Bytes of one message. */
  readonly maxMessage: number;
  readonly count: ConnectionCount;
}

export class WsConnection implements Connection, ConnectionHandler, FrameSink {
  readonly id: number;
  readonly info: ConnectionInfo;
  private readonly below: PlainConnection;
  private readonly site: WsSite;
  private readonly reader: WsFrameReader;
  private readonly writer = new WsFrameWriter();
  private handler: ConnectionHandler | undefined;
  private linger: NodeJS.Timeout | undefined;
  private error: Error | undefined;
  /** Bytes that arrived while the handler was paused. */
  private rest: Uint8Array | undefined;
  /** Frames for which the connection below has no room yet; undefined: it has room. */
  private waiting: Uint8Array[] | undefined;
  private pongBacklog = 0;
  /** The handler waits for `drain`. */
  private blocked = false;
  private paused = false;
  /** The close frame has been sent: nothing more is written. */
  private ending = false;
  /** The client has sent its close frame, or has broken the protocol: nothing more is read. */
  private heard = false;
  private over = false;

  /** The caller makes it the handler of the connection below. */
  constructor(below: PlainConnection, info: ConnectionInfo, site: WsSite) {
    this.id = below.id;
    this.info = info;
    this.below = below;
    this.site = site;
    this.reader = new WsFrameReader(this, site.maxMessage);
    site.count.connections += 1;
  }

  attach(handler: ConnectionHandler): void {
    this.handler = handler;
  }

  write(bytes: Uint8Array): boolean {
    if (this.ending || bytes.length === 0) return true;
    if (this.send(this.writer.frames(bytes, this.below.isQuick))) {
      framesWritten();
      return true;
    }
    this.blocked = true;
    return false;
  }

  pause(): void {
    if (this.ending) return;
    this.paused = true;
    this.below.pause();
  }

  resume(): void {
    this.paused = false;
    if (this.rest !== undefined) queueMicrotask(() => this.resumeRest());
    else this.below.resume();
  }

  end(): void {
    if (!this.ending) this.finish(CloseCode.Normal);
  }

  destroy(): void {
    this.ending = true;
    this.below.destroy();
  }

  // ── the connection below ──────────────────────────────────────────────────────────────────────────────────────────

  /** @internal */
  data(bytes: Uint8Array, start: number, end: number): void {
    if (this.heard) return;
    const read = this.reader.read(bytes, start, end);
    // Of the bytes that are ours only now. Not slice(): that of a Buffer does not copy.
    if (read < end) this.rest = new Uint8Array(bytes.subarray(read, end));
  }

  /** @internal */
  drain(): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting !== undefined && waiting.length > 0 && !this.send(waiting)) return;
    this.pongBacklog = 0;
    if (this.heard) this.below.end();
    else if (this.blocked && !this.ending) {
      this.blocked = false;
      this.handler?.drain();
    }
  }

  /** @internal */
  closed(error: Error | undefined): void {
    if (this.over) return;
    this.over = true;
    this.ending = true;
    clearTimeout(this.linger);
    this.site.count.connections -= 1;
    this.handler?.closed(this.error ?? error);
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
    if (this.ending || this.pongBacklog >= MOST_PONG_BACKLOG) return;
    const frame = pongFrame(payload);
    if (!this.send([frame])) this.pongBacklog += frame.length;
  }

  /** @internal */
  close(code: number | undefined): void {
    this.finishHeard(code);
  }

  /** @internal */
  violation(code: number, reason: string): void {
    this.error ??= new Error(reason);
    this.finishHeard(code);
  }

  // ── output ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns false: these frames, or some of them, wait; their memory is in use until `drain` */
  private send(frames: readonly Uint8Array[]): boolean {
    if (this.waiting !== undefined) {
      this.waiting.push(...frames);
      return false;
    }
    const [first] = frames;
    const isDone = frames.length === 1 && first !== undefined ? this.below.write(first) : this.below.writeAll(frames);
    if (!isDone) this.waiting = [];
    return isDone;
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends the close frame after the data; the client answers with its own. */
  private finish(code: number | undefined): void {
    this.ending = true;
    this.paused = false;
    this.send([closeFrame(code)]);
    this.linger ??= setTimeout(destroyConnection, this.site.lingerTimeout, this.below);
    if (this.rest !== undefined) queueMicrotask(() => this.resumeRest());
    else this.below.resume();
  }

  /** There is nothing more to be heard from the client: half-closes when everything is sent. */
  private finishHeard(code: number | undefined): void {
    this.heard = true;
    if (!this.ending) this.finish(code);
    if (this.waiting === undefined) this.below.end();
  }

  private resumeRest(): void {
    const { rest } = this;
    if (rest === undefined || this.paused) return;
    this.rest = undefined;
    this.data(rest, 0, rest.length);
    if (!this.paused) this.below.resume();
  }
}
