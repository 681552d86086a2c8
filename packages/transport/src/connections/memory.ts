// Two connections joined in memory, for tests and for clients in the same process. Runs without Node, in a browser too.
// Bytes are copied once; a handler is never called from inside a method of the other side.
import type { ConnectionHandler, ConnectionInfo, ExternalConnection } from "../connection.ts";
import { nextConnectionId } from "../connection.ts";

export interface MemoryPairOptions {
  /** The most bytes per `data()`. Default: all bytes of a write. */
  chunkSize?: number;
  /** Unread bytes at which `write` returns false. Default 65,536. */
  highWaterMark?: number;
  /** Milliseconds; see `Connection.end()`. Default 2,000. */
  lingerTimeout?: number;
  /** Schedules deliveries. Default `queueMicrotask`. */
  schedule?: (task: () => void) => void;
  clientInfo?: Partial<ConnectionInfo>;
  serverInfo?: Partial<ConnectionInfo>;
}

class MemoryConnection implements ExternalConnection {
  readonly id: number = nextConnectionId();
  readonly info: ConnectionInfo;
  private other: MemoryConnection | undefined;
  private handler: ConnectionHandler | undefined;
  private readonly options: MemoryPairOptions;
  /** Written by the other side, not read yet. */
  private readonly inbox: Uint8Array[] = [];
  private unread = 0;
  private scheduled = false;
  private paused = false;
  /** The other side waits for `drain()`. */
  private needsDrain = false;
  private ending = false;
  private otherEnded = false;
  private linger: ReturnType<typeof setTimeout> | undefined;
  private error: Error | undefined;
  private closing = false;
  private over = false;

  constructor(options: MemoryPairOptions, info: Partial<ConnectionInfo> | undefined) {
    this.options = options;
    this.info = { remoteAddress: "memory", remotePort: undefined, ...info, transport: info?.transport ?? "memory" };
  }

  static join(client: MemoryConnection, server: MemoryConnection): void {
    client.other = server;
    server.other = client;
  }

  attach(handler: ConnectionHandler): void {
    this.handler = handler;
    this.wake();
  }

  write(bytes: Uint8Array): boolean {
    const other = this.other;
    if (this.ending || this.closing || other === undefined || bytes.length === 0) return true;
    return other.take(new Uint8Array(bytes)); // not slice(): Buffer.slice() does not copy
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.wake();
  }

  end(): void {
    if (this.ending || this.closing) return;
    this.ending = true;
    this.paused = false;
    this.linger = setTimeout(() => this.destroy(), this.options.lingerTimeout ?? 2000);
    if (this.other !== undefined) {
      this.other.otherEnded = true;
      this.other.wake();
    }
    this.wake();
  }

  destroy(): void {
    this.fail(undefined);
    this.other?.fail(undefined);
  }

  private take(bytes: Uint8Array): boolean {
    if (this.closing) return true;
    this.inbox.push(bytes);
    this.unread += bytes.length;
    this.wake();
    if (this.unread < (this.options.highWaterMark ?? 65_536)) return true;
    this.needsDrain = true;
    return false;
  }

  private fail(error: Error | undefined): void {
    if (this.closing) return;
    this.closing = true;
    clearTimeout(this.linger);
    this.error = error;
    this.wake();
  }

  private wake(): void {
    if (this.scheduled || this.over) return;
    this.scheduled = true;
    (this.options.schedule ?? queueMicrotask)(() => this.deliver());
  }

  private deliver(): void {
    this.scheduled = false;
    const limit = this.options.chunkSize ?? Number.POSITIVE_INFINITY;
    while (!this.closing && (this.ending || (this.handler !== undefined && !this.paused))) {
      const bytes = this.inbox.shift();
      if (bytes === undefined) break;
      for (let start = 0; start < bytes.length && !this.ending && !this.closing; ) {
        if (this.paused) {
          this.inbox.unshift(bytes.subarray(start));
          break;
        }
        const end = Math.min(bytes.length, start + limit);
        this.unread -= end - start;
        this.handler?.data(bytes, start, end);
        start = end;
      }
      if (this.ending) this.unread = 0;
    }
    if (this.needsDrain && this.inbox.length === 0 && !this.closing) {
      this.needsDrain = false;
      const writer = this.other;
      if (writer !== undefined && !writer.ending && !writer.closing) writer.handler?.drain();
    }
    // All bytes are read and the other side has ended: end this side too, then both are closed.
    if (!this.closing && this.otherEnded && this.inbox.length === 0 && (this.handler !== undefined || this.ending)) {
      this.end();
      if (this.other?.otherEnded === true && this.other.inbox.length === 0) this.destroy();
    }
    if (this.closing && !this.over && this.handler !== undefined) {
      this.over = true;
      this.inbox.length = 0;
      this.handler.closed(this.error);
    }
  }
}

/** @returns `[client, server]`. Nothing is delivered to a side before it has a handler (`attach`). */
export function memoryPair(options: MemoryPairOptions = {}): [client: ExternalConnection, server: ExternalConnection] {
  const client = new MemoryConnection(options, options.clientInfo);
  const server = new MemoryConnection(options, options.serverInfo);
  MemoryConnection.join(client, server);
  return [client, server];
}
