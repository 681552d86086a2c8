// Connections that change hands: the system's socket of a TCP or Unix connection can be given to another process, or be
// taken over from a socket that Node has made.
import { Socket, type SocketConstructorOpts } from "node:net";
import type { Connection, ExternalConnection, PlainConnection, TransportName } from "../connection.ts";
import { DEFAULT_LINGER_MS } from "../listener-config.ts";
import { type Handle, isHandle, takeSocketHandle } from "./raw-handle.ts";
import { rawConnections } from "./raw-tcp.ts";
import type { ReadBuffer } from "./shared-read.ts";
import { ProxiedInfo, SocketInfo } from "./socket-info.ts";
import { type ConnectionCount, StreamConnection } from "./stream-connection.ts";

export interface AdopterOptions {
  readonly transport: TransportName;
  /** See `ListenerContext.readBuffer`. */
  readonly readBuffer?: ReadBuffer | undefined;
  /** Milliseconds; see `Connection.end()`. Default 2,000. */
  readonly lingerTimeout?: number;
}

export interface Adoption {
  /** The client's address, where it is known already (a trusted proxy may have reported another one). */
  readonly source?: { readonly address: string; readonly port: number | undefined } | undefined;
  /** Bytes that were read already. They come first; call `resume()` after `attach()`. */
  readonly head?: Uint8Array | undefined;
}

/**
 * Makes connections of sockets, or of handles that came from another process.
 * @throws TypeError for anything else
 */
export type Adopt = (given: unknown, adoption?: Adoption) => ExternalConnection;

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

/** One for all connections that have these things in common. */
export function socketAdopter({ transport, readBuffer, lingerTimeout = DEFAULT_LINGER_MS }: AdopterOptions): Adopt {
  const count: ConnectionCount = { connections: 0 };
  const rawOf = readBuffer && rawConnections({ transport, buffer: readBuffer, lingerTimeout, count });
  return (given, { source, head } = {}) => {
    const begins = head !== undefined && head.length > 0;
    const handle = rawOf && handleOf(given);
    if (rawOf !== undefined && handle !== undefined) {
      const connection = rawOf(handle);
      if (source !== undefined) connection.info = new ProxiedInfo(connection.info, source);
      if (begins) connection.begin(head);
      return connection;
    }
    const socket = socketOf(given);
    if (begins) socket.unshift(head);
    return new StreamConnection(socket, new SocketInfo(transport, socket, source), lingerTimeout);
  };
}

function handleOf(given: unknown): Handle | undefined {
  return given instanceof Socket ? takeSocketHandle(given) : isHandle(given) ? given : undefined;
}

function socketOf(given: unknown): Socket {
  if (given instanceof Socket) return given;
  if (!isHandle(given)) throw new TypeError("neither a socket nor a handle");
  return new Socket({ handle: given, allowHalfOpen: true, pauseOnCreate: true } as SocketConstructorOpts);
}
