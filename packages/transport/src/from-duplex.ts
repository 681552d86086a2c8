// Any connected byte stream as a connection. What the stream tells about its other side is taken from it: the address of a
// socket, the certificate of a TLS socket, also where another stream lies on the socket.
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { ConnectionInfo, ExternalConnection } from "./connection.ts";
import { StreamConnection } from "./connections/stream-connection.ts";
import { plainAddress } from "./ip-address.ts";
import { tlsInfo } from "./tls/tls-info.ts";

/** What the embedding program knows; it counts more than what the stream tells. */
export interface StreamFacts extends Partial<ConnectionInfo> {
  /**
   * The socket below a stream that does not tell, such as `createWebSocketStream(ws)`: `request.socket`. Default: the stream
   * itself, or what it has as `socket` or `_socket`.
   */
  readonly socket?: Duplex;
}

/**
 * Makes a connection of any connected byte stream, for `broker.accept`. The connection owns the stream from now on. A TLS
 * socket has to have finished its handshake (`secureConnection`); its client certificate counts where Node has verified it.
 */
export function fromDuplex(stream: Duplex, facts: StreamFacts = {}, lingerTimeout?: number): ExternalConnection {
  const { socket: below = stream, ...known } = facts;
  const info: ConnectionInfo = {
    transport: "external",
    remoteAddress: "",
    remotePort: undefined,
    ...told(socketBelow(below)),
    ...known,
  };
  return new StreamConnection(stream, info, lingerTimeout, undefined, stream instanceof Socket ? "socket" : "duplex");
}

function told(socket: Socket | undefined): Partial<ConnectionInfo> {
  if (socket === undefined) return {};
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return {
    ...(remoteAddress === undefined ? {} : { remoteAddress: plainAddress(remoteAddress), remotePort }),
    ...(localAddress === undefined ? {} : { localAddress: plainAddress(localAddress), localPort }),
    ...(socket instanceof TLSSocket ? { tls: tlsInfo(socket) } : {}),
  };
}

/** Streams that lie on each other: a stream on a WebSocket on a socket is three. */
const DEEPEST = 3;

function socketBelow(stream: unknown, depth = 0): Socket | undefined {
  if (stream instanceof Socket) return stream;
  if (typeof stream !== "object" || stream === null || depth === DEEPEST) return undefined;
  const { socket, _socket } = stream as { socket?: unknown; _socket?: unknown };
  return socketBelow(socket, depth + 1) ?? socketBelow(_socket, depth + 1);
}
