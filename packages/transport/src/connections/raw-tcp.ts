// TCP and Unix connections directly on libuv's handles, without `net.Socket`: a socket with its two stream states and
// its listeners takes several kilobytes and most of the time of an accept. `net.Server` still binds, listens and
// closes; only accepted handles are treated differently. The plain twin is StreamConnection; the tests of TCP, Unix
// sockets and the PROXY protocol run with both. raw-handle.ts has what is needed of Node's internals.
import { writeSync } from "node:fs";
import type { Server } from "node:net";
import type { ConnectionHandler, ConnectionInfo, PlainConnection, TransportName } from "../connection.ts";
import { nextConnectionId } from "../connection.ts";
import {
  type Handle,
  type Internals,
  nodeInternals,
  type Request,
  systemError,
  type TcpOptions,
  takeHandles,
} from "./raw-handle.ts";
import { RawInfo } from "./raw-info.ts";
import type { ReadBuffer } from "./shared-read.ts";
import type { ConnectionCount } from "./stream-connection.ts";

/** Where a handle has its connection. */
export const owner: unique symbol = Symbol("connection");
export type OwnedHandle = Handle & { [owner]?: RawConnection };
type OwnedRequest = Request<RawConnection>;

function onClosed(this: OwnedHandle): void {
  this[owner]?.gone();
}
function onWritten(this: OwnedRequest, status: number): void {
  this.owner?.written(status);
}
function onShutdown(this: OwnedRequest): void {
  this.owner?.shutDown();
}
function endConnection(connection: RawConnection): void {
  connection.end();
}
function goOn(connection: RawConnection): void {
  connection.goOn();
}
function destroyConnection(connection: RawConnection): void {
  connection.destroy();
}

/** What the connections of one listener share. */
export interface Site {
  readonly node: Internals;
  readonly transport: TransportName;
  readonly lingerTimeout: number;
  readonly count: ConnectionCount;
  /**
   * Most writes finish at once and leave their request unused: one request serves all connections until a write is
   * asynchronous.
   */
  spare: OwnedRequest;
}

export class RawConnection implements PlainConnection {
  readonly id: number = nextConnectionId();
  readonly isQuick: boolean = true;
  protected readonly handle: OwnedHandle;
  protected readonly site: Site;
  protected handler: ConnectionHandler | undefined;
  private knownInfo: ConnectionInfo | undefined;
  /** Bytes that arrived before there was a handler: the connection starts paused. */
  protected rest: Uint8Array | undefined;
  private linger: NodeJS.Timeout | undefined;
  private error: Error | undefined;
  /** Writes and shutdowns that the system has not finished. */
  protected requests = 0;
  protected reading = false;
  protected paused = false;
  protected peerDone = false;
  protected ending = false;
  protected closing = false;

  constructor(handle: OwnedHandle, site: Site) {
    this.handle = handle;
    this.site = site;
    site.count.connections += 1;
    handle[owner] = this;
  }

  get info(): ConnectionInfo {
    this.knownInfo ??= new RawInfo(this.site.transport, this.handle);
    return this.knownInfo;
  }

  set info(info: ConnectionInfo) {
    this.knownInfo = info;
  }

  attach(handler: ConnectionHandler): void {
    this.handler = handler;
    if (!this.paused) this.read();
  }

  handOver(handler: ConnectionHandler, bytes: Uint8Array, start: number, end: number): void {
    this.handler = handler;
    if (start === end) return;
    if (this.paused) this.rest = new Uint8Array(bytes.subarray(start, end));
    else this.received(bytes, start, end);
  }

  write(bytes: Uint8Array): boolean {
    if (this.ending || bytes.length === 0) return true;
    const { node, spare } = this.site;
    const status = this.handle.writeBuffer(spare, bytes);
    return (status === 0 && node.state[node.writeIsAsync] === 0) || this.unfinished(status, bytes);
  }

  writeAll(pieces: readonly Uint8Array[]): boolean {
    if (this.ending || pieces.length === 0) return true;
    const { node, spare } = this.site;
    const status = this.handle.writev(spare, pieces, true);
    return (status === 0 && node.state[node.writeIsAsync] === 0) || this.unfinished(status, pieces);
  }

  pause(): void {
    if (this.ending) return;
    this.paused = true;
    if (!this.reading) return;
    this.reading = false;
    this.handle.readStop();
  }

  resume(): void {
    this.paused = false;
    if (this.rest !== undefined) queueMicrotask(() => this.resumeRest());
    else if (this.handler !== undefined) this.read();
  }

  end(): void {
    if (this.ending) return;
    this.ending = true;
    this.paused = false;
    // All is read and all is written: closing has the same effect as half-closing.
    if (this.peerDone && this.requests === 0 && this.closesPlainly) {
      this.close();
      return;
    }
    this.read();
    if (this.closing) return;
    this.linger = setTimeout(destroyConnection, this.site.lingerTimeout, this);
    this.halfClose();
  }

  protected get closesPlainly(): boolean {
    return true;
  }

  protected halfClose(): void {
    const request: OwnedRequest = new this.site.node.ShutdownWrap();
    if (this.handle.shutdown(request) === 0) this.expect(request, onShutdown);
    // Otherwise the shutdown is done, or the connection is lost, which the read reports.
  }

  destroy(): void {
    if (!this.closing) this.close();
  }

  detach(): object | undefined {
    if (this.ending || this.closing || this.requests > 0) return undefined;
    this.pause();
    this.handler = undefined;
    this.ending = true;
    this.closing = true;
    this.site.count.connections -= 1;
    delete this.handle[owner];
    return this.handle;
  }

  /** Takes bytes that were read elsewhere; the next `resume` delivers them first. */
  begin(head: Uint8Array): void {
    this.paused = true;
    this.rest = head;
  }

  received(bytes: Uint8Array, start: number, end: number): void {
    if (!this.ending) this.handler?.data(bytes, start, end);
  }

  /**
   * Stops reading until the next turn: libuv would read up to 32 times from this connection before it serves others.
   */
  stepAside(): void {
    if (!this.reading || this.closing) return;
    this.reading = false;
    this.handle.readStop();
    setImmediate(goOn, this);
  }

  goOn(): void {
    if (!this.paused) this.read();
  }

  /** The peer has half-closed. What the handler writes within the same turn of the event loop is still sent. */
  peerEnded(): void {
    this.reading = false;
    this.peerDone = true;
    if (!this.ending) setImmediate(endConnection, this);
    else if (this.requests === 0) this.destroy();
  }

  /** The connection is lost; `closed` gets the reason. */
  fail(status: number, syscall: string): void {
    this.lost(systemError(status, syscall));
  }

  lost(error: Error): void {
    if (this.closing) return;
    this.error = error;
    this.close();
  }

  written(status: number): void {
    this.requests -= 1;
    if (this.closing) return;
    if (status < 0) this.fail(status, "write");
    else if (this.requests === 0 && !this.ending) this.handler?.drain();
  }

  /** Half-closes. The result is ignored: if it fails the connection is lost, and the read reports that. */
  shutDown(): void {
    this.requests -= 1;
    if (this.peerDone && this.requests === 0) this.destroy();
  }

  gone(): void {
    this.site.count.connections -= 1;
    this.handler?.closed(this.error);
  }

  private expect(request: OwnedRequest, done: (this: OwnedRequest, status: number) => void): void {
    request.owner = this;
    request.oncomplete = done;
    this.requests += 1;
  }

  /**
   * A write has not finished at once, or has failed.
   * @returns need its memory not be kept?
   */
  private unfinished(status: number, bytes: Uint8Array | readonly Uint8Array[]): boolean {
    const { node, spare } = this.site;
    this.site.spare = new node.WriteWrap();
    if (status !== 0) {
      this.fail(status, "write");
      return true;
    }
    spare.bytes = bytes;
    this.expect(spare, onWritten);
    return false;
  }

  protected read(): void {
    if (this.reading || this.peerDone || this.closing) return;
    const status = this.handle.readStart();
    if (status < 0) this.fail(status, "read");
    else this.reading = true;
  }

  private close(): void {
    this.closing = true;
    this.ending = true;
    clearTimeout(this.linger);
    this.closeHandle();
  }

  protected closeHandle(): void {
    this.handle.close(onClosed);
  }

  protected resumeRest(): void {
    const rest = this.rest;
    if (rest === undefined || this.paused) return;
    this.rest = undefined;
    this.received(rest, 0, rest.length);
    if (!this.paused) this.read();
  }
}

class PlainRawConnection extends RawConnection {
  tryWrite(bytes: Uint8Array, start: number, end: number): number {
    const { fd } = this.handle;
    if (this.ending || this.requests > 0 || fd === undefined || fd < 0) return 0;
    try {
      return writeSync(fd, bytes, start, end - start);
    } catch (error) {
      const { code, errno } = error as NodeJS.ErrnoException;
      // The system reports the reason of a loss only once, here.
      if (code !== "EAGAIN" && code !== "EINTR") this.fail(errno ?? this.site.node.eof, "write");
      return 0;
    }
  }
}

/** `onread` of every handle: the shared buffer has been filled. Must return undefined. */
export function readInto(buffer: ReadBuffer, { state, readResult, eof }: Internals): () => void {
  const { bytes, start, length } = buffer;
  return function onRead(this: OwnedHandle): void {
    const connection = this[owner];
    const result = state[readResult];
    if (connection === undefined || result === undefined) return;
    if (result > 0) {
      connection.received(bytes, start, start + result);
      if (result === length) connection.stepAside();
    } else if (result === eof) connection.peerEnded();
    else if (result < 0) connection.fail(result, "read");
  };
}

export interface RawOptions extends TcpOptions {
  readonly transport: TransportName;
  readonly buffer: ReadBuffer;
  readonly lingerTimeout: number;
  readonly count: ConnectionCount;
}

/**
 * @returns a function that makes raw connections of handles, whose socket options stay as they are; undefined: not
 * possible in this process
 */
export function rawConnections(
  options: Omit<RawOptions, "keepAliveSeconds">,
): ((handle: Handle) => RawConnection) | undefined {
  const node = nodeInternals();
  if (node === undefined) return undefined;
  const { buffer } = options;
  const window = buffer.bytes.subarray(buffer.start, buffer.start + buffer.length);
  const onread = readInto(buffer, node);
  const site: Site = {
    node,
    transport: options.transport,
    lingerTimeout: options.lingerTimeout,
    count: options.count,
    spare: new node.WriteWrap(),
  };
  return (handle) => {
    handle.useUserBuffer(window);
    handle.onread = onread;
    return new PlainRawConnection(handle, site);
  };
}

/**
 * Makes raw connections of all handles that a listening server accepts from now on.
 * @returns a function that undoes this; undefined: not possible in this process, and the server goes on as before
 */
export function acceptRaw(
  server: Server,
  options: RawOptions,
  opened: (connection: PlainConnection) => void,
): (() => void) | undefined {
  const connectionOf = rawConnections(options);
  return connectionOf && takeHandles(server, options, (handle) => opened(connectionOf(handle)));
}
