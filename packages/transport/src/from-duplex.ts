// Makes a connection of any connected byte stream. Facts about the peer are taken from the stream: the address of a
// socket, the certificate of a TLS socket, also if another stream lies on that socket.
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { ConnectionInfo, ExternalConnection } from "./connection.ts";
import { StreamConnection } from "./connections/stream-connection.ts";
import { plainAddress } from "./ip-address.ts";
import { tlsInfo } from "./tls/tls-info.ts";

/** What the embedding program knows about the peer; it overrides what the stream has. */
export interface StreamFacts extends Partial<ConnectionInfo> {
  /**
   * The socket below a stream that does not expose it, such as `createWebSocketStream(ws)`: `request.socket`. Default:
   * the stream itself, or its property `socket` or `_socket`.
   */
  readonly socket?: Duplex;
}

/**
 * Makes a connection of any connected byte stream, for `broker.accept`. The connection owns the stream from now on. A
 * TLS socket must have finished its handshake (`secureConnection`); its client certificate counts if Node has verified
 * it.
 * @param facts override what the stream has
 * @param lingerTimeout milliseconds; see `Connection.end()`. Default 2,000
 */
export function fromDuplex(stream: Duplex, facts: StreamFacts = {}, lingerTimeout?: number): ExternalConnection {
  const { socket: below = stream, ...known } = facts;
  const info: ConnectionInfo = {
    transport: "external",
    remoteAddress: "",
    remotePort: undefined,
    ...factsOf(socketBelow(below)),
    ...known,
  };
  return new StreamConnection(stream, info, lingerTimeout, undefined, stream instanceof Socket ? "socket" : "duplex");
}

function factsOf(socket: Socket | undefined): Partial<ConnectionInfo> {
  if (socket === undefined) return {};
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return {
    ...(remoteAddress === undefined ? {} : { remoteAddress: plainAddress(remoteAddress), remotePort }),
    ...(localAddress === undefined ? {} : { localAddress: plainAddress(localAddress), localPort }),
    ...(socket instanceof TLSSocket ? { tls: tlsInfo(socket) } : {}),
  };
}

/** The most streams on top of each other: a stream on a WebSocket on a socket is three. */
const DEEPEST = 3;

function socketBelow(stream: unknown, depth = 0): Socket | undefined {
  if (stream instanceof Socket) return stream;
  if (typeof stream !== "object" || stream === null || depth === DEEPEST) return undefined;
  const { socket, _socket } = stream as { socket?: unknown; _socket?: unknown };
  return socketBelow(socket, depth + 1) ?? socketBelow(_socket, depth + 1);
}
