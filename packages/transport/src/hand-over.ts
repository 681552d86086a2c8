// Connections that change hands: the system's socket of a TCP or Unix connection can be given to another process, or be
// taken over from a socket that Node has made.
import { Socket, type SocketConstructorOpts } from "node:net";
import type { Connection, ExternalConnection, PlainConnection, TransportName } from "./connection.ts";
import { DEFAULT_LINGER_MS } from "./listener-config.ts";
import { type Handle, isHandle, takeSocketHandle } from "./raw-handle.ts";
import { rawConnections } from "./raw-tcp.ts";
import type { ReadBuffer } from "./shared-read.ts";
import { ProxiedInfo, SocketInfo } from "./socket-info.ts";
import { type ConnectionCount, StreamConnection } from "./stream-connection.ts";

export interface AdoptOptions {
  readonly transport: TransportName;
  /** See `ListenerOptions.readBuffer`. */
  readonly readBuffer?: ReadBuffer | undefined;
  readonly lingerMs?: number;
  /** The client's address as a trusted proxy reported it. */
  readonly source?: { readonly address: string; readonly port: number | undefined } | undefined;
  /** Bytes that were read already. They come first; call `resume()` after `attach()`. */
  readonly head?: Uint8Array | undefined;
}

/**
 * Gives away the socket of a connection: nothing is read or written here any more, and the handler hears of nothing.
 * @returns the handle, for `process.send` and then `closeHandle`; undefined: this connection cannot be given away
 */
export function releaseSocket(connection: Connection): object | undefined {
  return (connection as Partial<PlainConnection>).detach?.();
}

/** Closes this process's side of a handle that was given away. */
export function closeHandle(handle: unknown): void {
  if (isHandle(handle)) handle.close(() => {});
}

const UNCOUNTED: ConnectionCount = { connections: 0 };

/**
 * Makes a connection of a socket, or of a handle that came from another process.
 * @throws TypeError for anything else
 */
export function adoptSocket(given: unknown, options: AdoptOptions): ExternalConnection {
  const { transport, readBuffer, lingerMs = DEFAULT_LINGER_MS, source, head } = options;
  const connectionOf = readBuffer && rawConnections({ transport, buffer: readBuffer, lingerMs, count: UNCOUNTED });
  const handle = connectionOf && handleOf(given);
  if (handle !== undefined && connectionOf !== undefined) {
    const connection = connectionOf(handle);
    if (source !== undefined) connection.info = new ProxiedInfo(connection.info, source);
    if (head !== undefined && head.length > 0) connection.begin(head);
    return connection;
  }
  const socket = socketOf(given);
  if (head !== undefined && head.length > 0) socket.unshift(head);
  return new StreamConnection(socket, new SocketInfo(transport, socket, source), lingerMs);
}

function handleOf(given: unknown): Handle | undefined {
  return given instanceof Socket ? takeSocketHandle(given) : isHandle(given) ? given : undefined;
}

function socketOf(given: unknown): Socket {
  if (given instanceof Socket) return given;
  if (!isHandle(given)) throw new TypeError("neither a socket nor a handle");
  return new Socket({ handle: given, allowHalfOpen: true, pauseOnCreate: true } as SocketConstructorOpts);
}
