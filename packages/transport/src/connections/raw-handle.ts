// What the raw connections (raw-tcp.ts) use of Node's internals: libuv's handles and requests as `net.Socket` itself uses
// them. Everything that a new version of Node may move is named and looked at here, before the first use; where a piece
// is missing (Windows, the permission model, a Node that nobody has tried) there are no raw connections, and
// stream-connection.ts does the same with public means.
import type { Server, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { getSystemErrorMap } from "node:util";

export interface Endpoint {
  address: string;
  port: number;
  family: string;
}

/** Something the system finishes later. */
export interface Request<Owner> {
  owner?: Owner;
  /** Keeps the memory while the system still writes from it. */
  bytes?: Uint8Array;
  oncomplete?: (this: Request<Owner>, status: number) => void;
}

/** An accepted TCP or Pipe handle. Statuses are 0 or a negative error number. */
export interface Handle {
  onread: (this: this) => void;
  /** The system's number of the socket; -1 when it is closed. */
  readonly fd?: number;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: object, bytes: Uint8Array): number;
  /** 1: done at once. */
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
  /** Where a handle leaves the second half of its answers. */
  readonly state: Int32Array;
  /** Place of the bytes just read, or a negative error number. */
  readonly readResult: number;
  /** Place of 1: `writeBuffer` needs more time, and completes its request; 0: all is written, the request is untouched. */
  readonly writeIsAsync: number;
  /** The error number that says that the other side has sent its last byte. */
  readonly eof: number;
}

/** First and last major version of Node on which the tests have passed. */
const TRIED: readonly [number, number] = [20, 24];
const METHODS = ["useUserBuffer", "readStart", "readStop", "writeBuffer", "shutdown", "close"] as const;

type Class = new () => object;
const isClass = (value: unknown): value is Class => typeof value === "function";
const isPlaceIn = (state: Int32Array, value: unknown): value is number =>
  typeof value === "number" && value >= 0 && value < state.length;

function isHandleClass(value: unknown): boolean {
  if (!isClass(value)) return false;
  const prototype = value.prototype as Record<string, unknown>;
  // Not `prototype.onread`: that accessor wants a true handle.
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

/** undefined: this process cannot have raw connections, or must not (`WRENMQ_RAW_TCP=0`). */
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
  /** Idle seconds before keep-alive probes; undefined: none. */
  readonly keepAliveSeconds: number | undefined;
}

/** Sends small packets at once, and probes silent peers if wanted. Does nothing to a pipe. */
function tune(handle: Partial<Handle>, { keepAliveSeconds }: TcpOptions): void {
  handle.setNoDelay?.(true);
  if (keepAliveSeconds !== undefined) handle.setKeepAlive?.(true, keepAliveSeconds);
}

/**
 * From now on the handles that a listening server accepts go to `accepted` instead of becoming sockets; the server's own
 * errors stay its own. @returns what gives them back to the server; undefined: it has no handle of the known kind
 */
export function takeHandles(
  server: Server,
  options: TcpOptions,
  accepted: (handle: Handle) => void,
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
    accepted(handle);
  };
  return () => {
    listening.onconnection = original;
    if (inherited && options.keepAliveSeconds !== undefined) listening.setKeepAlive?.(false, 0);
  };
}

/** Is this a handle that `rawConnections` can serve? */
export function isHandle(value: unknown): value is Handle {
  if (typeof value !== "object" || value === null) return false;
  return METHODS.every((name) => typeof (value as Record<string, unknown>)[name] === "function");
}

/** Takes the handle out of a socket that nothing was read ahead from, and stops reading. The socket is of no use then. */
export function takeSocketHandle(socket: Socket): Handle | undefined {
  const shell = socket as Socket & { _handle?: unknown };
  const handle = shell._handle;
  // The bytes of a TLS socket are not those of its handle.
  if (socket instanceof TLSSocket || !isHandle(handle) || socket.readableLength > 0) return undefined;
  handle.readStop();
  // Without a handle, destroying the socket only takes it off its server's books.
  shell._handle = null;
  socket.destroy();
  return handle;
}

/** The error that Node's own streams would report. */
export function systemError(status: number, syscall: string): Error {
  const code = getSystemErrorMap().get(status)?.[0] ?? `Unknown system error ${status}`;
  return Object.assign(new Error(`${syscall} ${code}`), { errno: status, code, syscall });
}
