// Moves connections between processes and from Node's sockets: the handle of a TCP or Unix connection can be sent to
// another process, or be taken from a socket that Node has made.
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
 * Detaches the socket of a connection: nothing is read or written here any more, and the handler is not called again.
 * @returns the handle, for `process.send` and then `closeHandle`; undefined: this connection has none that can be sent
 */
export function releaseSocket(connection: Connection): object | undefined {
  return (connection as Partial<PlainConnection>).detach?.();
}

/** Closes this process's copy of a handle that was sent to another process. */
export function closeHandle(handle: unknown): void {
  if (isHandle(handle)) handle.close(() => {});
}

/** @returns one function for all connections with these options */
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
