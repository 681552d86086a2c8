// The Node internals that raw connections (raw-tcp.ts) use: libuv's handles and requests, as `net.Socket` uses them.
// Whatever a new version of Node may change is named and checked here before the first use. Where a piece is missing
// (Windows, the permission model, an untested version of Node) there are no raw connections, and stream-connection.ts
// does the same with public API.
import type { Server, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { getSystemErrorMap } from "node:util";

export interface Endpoint {
  address: string;
  port: number;
  family: string;
}

/** An operation that the system finishes later. */
export interface Request<Owner> {
  owner?: Owner;
  /** Keeps the memory while the system still writes from it. */
  bytes?: Uint8Array | readonly Uint8Array[];
  oncomplete?: (this: Request<Owner>, status: number) => void;
}

/** An accepted TCP or Pipe handle. Statuses are 0 or a negative error number. */
export interface Handle {
  onread: (this: this) => void;
  /** File descriptor; -1 when it is closed. */
  readonly fd?: number;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: object, bytes: Uint8Array): number;
  writev(request: object, pieces: readonly Uint8Array[], allAreBuffers: true): number;
  /** @returns 1: it is done already */
  shutdown(request: object): number;
  close(done: (this: this) => void): void;
  setNoDelay?(on: boolean): number;
  setKeepAlive?(on: boolean, seconds: number): number;
  getpeername?(into: Endpoint): number;
  getsockname?(into: Endpoint): number;
}

type OnConnection = (this: unknown, status: number, handle: Handle | undefined) => void;
type WithHandle = Server & { _handle?: (Partial<Handle> & { onconnection?: OnConnection }) | null };

export interface Internals {
  readonly WriteWrap: new () => object;
  readonly ShutdownWrap: new () => object;
  /** Where a handle stores the second value of its results. */
  readonly state: Int32Array;
  /** Index in `state` of the number of bytes just read, or of a negative error number. */
  readonly readResult: number;
  /**
   * Index in `state`: 1: `writeBuffer` is still writing and will complete its request; 0: all is written, the request
   * is unused.
   */
  readonly writeIsAsync: number;
  /** The error number of the end of the stream. */
  readonly eof: number;
}

/** First and last major version of Node on which the tests have passed. */
const TRIED: readonly [number, number] = [20, 24];
const METHODS = ["useUserBuffer", "readStart", "readStop", "writeBuffer", "writev", "shutdown", "close"] as const;

type Class = new () => object;
const isClass = (value: unknown): value is Class => typeof value === "function";
const isPlaceIn = (state: Int32Array, value: unknown): value is number =>
  typeof value === "number" && value >= 0 && value < state.length;

function isHandleClass(value: unknown): boolean {
  if (!isClass(value)) return false;
  const prototype = value.prototype as Record<string, unknown>;
  // Not `prototype.onread`: that accessor throws on anything that is not a handle.
  return "onread" in prototype && METHODS.every((name) => typeof prototype[name] === "function");
}

function look(): Internals | undefined {
  const binding = (name: string): Record<string, unknown> =>
    (process as unknown as { binding(name: string): Record<string, unknown> }).binding(name);
  const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding("stream_wrap");
  const eof = [...getSystemErrorMap()].find(([, [name]]) => name === "EOF")?.[0];
  if (!isClass(WriteWrap) || !isClass(ShutdownWrap) || !(streamBaseState instanceof Int32Array)) return undefined;
  if (!isPlaceIn(streamBaseState, kReadBytesOrError) || !isPlaceIn(streamBaseState, kLastWriteWasAsync))
    return undefined;
  if (!isHandleClass(binding("tcp_wrap")["TCP"]) || !isHandleClass(binding("pipe_wrap")["Pipe"])) return undefined;
  if (eof === undefined) return undefined;
  return {
    WriteWrap,
    ShutdownWrap,
    state: streamBaseState,
    readResult: kReadBytesOrError,
    writeIsAsync: kLastWriteWasAsync,
    eof,
  };
}

/** @returns undefined: this process cannot have raw connections, or must not (`WRENMQ_RAW_TCP=0`) */
export function nodeInternals(): Internals | undefined {
  if (process.env["WRENMQ_RAW_TCP"] === "0") return undefined;
  const major = Number.parseInt(process.versions.node, 10);
  if (process.platform === "win32" || major < TRIED[0] || major > TRIED[1]) return undefined;
  try {
    return look();
  } catch {
    return undefined;
  }
}

export interface TcpOptions {
  /** Idle seconds before keep-alive probes; undefined: none are sent. */
  readonly keepAliveSeconds: number | undefined;
}

/** Disables Nagle's algorithm and sets keep-alive probes. A pipe has neither. */
function tune(handle: Partial<Handle>, { keepAliveSeconds }: TcpOptions): void {
  handle.setNoDelay?.(true);
  if (keepAliveSeconds !== undefined) handle.setKeepAlive?.(true, keepAliveSeconds);
}

/**
 * Passes the handles that a listening server accepts to `accepted`, instead of making sockets of them. The server still
 * handles its own errors, and makes a socket of those for which `accepted` returns false.
 * @returns a function that undoes this; undefined: the server has no handle of the known kind
 */
export function takeHandles(
  server: Server,
  options: TcpOptions,
  accepted: (handle: Handle) => unknown,
): (() => void) | undefined {
  const listening = (server as WithHandle)._handle;
  const original = listening?.onconnection;
  if (listening === null || listening === undefined || typeof original !== "function") return undefined;
  // On Linux an accepted socket has the options of the listening one. In a process of Node's cluster module there is no
  // such handle at hand.
  const inherited = process.platform === "linux" && typeof listening.setNoDelay === "function";
  if (inherited) tune(listening, options);
  listening.onconnection = function onConnection(status, handle): void {
    if (status !== 0 || handle === undefined) {
      original.call(this, status, handle);
      return;
    }
    if (!inherited) tune(handle, options);
    if (accepted(handle) === false) original.call(this, status, handle);
  };
  return () => {
    listening.onconnection = original;
    if (inherited && options.keepAliveSeconds !== undefined) listening.setKeepAlive?.(false, 0);
  };
}

/** Can `rawConnections` use this handle? */
export function isHandle(value: unknown): value is Handle {
  if (typeof value !== "object" || value === null) return false;
  return METHODS.every((name) => typeof (value as Record<string, unknown>)[name] === "function");
}

/**
 * Takes the handle out of a socket without read-ahead bytes, and stops reading. The socket cannot be used after that.
 */
export function takeSocketHandle(socket: Socket): Handle | undefined {
  const shell = socket as Socket & { _handle?: unknown };
  const handle = shell._handle;
  // The handle of a TLS socket has the encrypted bytes.
  if (socket instanceof TLSSocket || !isHandle(handle) || socket.readableLength > 0) return undefined;
  handle.readStop();
  // Without a handle, destroying the socket only removes it from its server's count.
  shell._handle = null;
  socket.destroy();
  return handle;
}

/** The same error as Node's own streams report. */
export function systemError(status: number, syscall: string): Error {
  const code = getSystemErrorMap().get(status)?.[0] ?? `Unknown system error ${status}`;
  return Object.assign(new Error(`${syscall} ${code}`), { errno: status, code, syscall });
}
