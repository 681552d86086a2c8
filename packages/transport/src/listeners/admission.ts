// The way of a plain connection from accept to its handler: first the PROXY header if the peer is a proxy, then
// `accept`.
import type { Server, Socket } from "node:net";
import type { Accept, ConnectionHandler, ExternalConnection, PlainConnection } from "../connection.ts";
import { acceptRaw } from "../connections/raw-tcp.ts";
import { sharedRead } from "../connections/shared-read.ts";
import { ProxiedInfo, SocketInfo } from "../connections/socket-info.ts";
import { type ConnectionCount, StreamConnection } from "../connections/stream-connection.ts";
import { ListenerError, messageOf } from "../errors.ts";
import {
  DEFAULT_LINGER_MS,
  type TcpListenerConfig,
  type UnixListenerConfig,
  type WsListenerConfig,
  type WssListenerConfig,
} from "../listener-config.ts";
import { ProxyHandshake, trustedProxies } from "../proxy-protocol/proxy-admission.ts";
import type { ListenerContext } from "./listener.ts";

/** @returns the handler; undefined: `accept` refused or threw */
export function askHandler<C>(
  connection: C,
  accept: (connection: C) => ConnectionHandler | undefined,
  onError: ((error: Error) => void) | undefined,
): ConnectionHandler | undefined {
  try {
    return accept(connection);
  } catch (cause) {
    onError?.(new ListenerError("ERR_LISTENER_ACCEPT", `accepting a connection failed: ${messageOf(cause)}`, cause));
    return undefined;
  }
}

/** Attaches the handler that `accept` returns, or destroys the connection. */
export function admit<C extends ExternalConnection>(
  connection: C,
  accept: (connection: C) => ConnectionHandler | undefined,
  onError: ListenerContext["onError"],
): void {
  const handler = askHandler(connection, accept, onError);
  if (handler === undefined) connection.destroy();
  else connection.attach(handler);
}

/**
 * What is done with a new connection: the PROXY header is read if the peer is a proxy, then `welcome` is asked. On a Unix
 * socket every peer counts as a trusted proxy: the permissions of the file decide who may connect.
 * @param waiting has the connections whose PROXY header has not arrived
 */
export function afterProxyHeader(
  { type, proxyProtocol }: TcpListenerConfig | UnixListenerConfig | WsListenerConfig | WssListenerConfig,
  welcome: (connection: PlainConnection) => ConnectionHandler | undefined,
  onError: ListenerContext["onError"],
  waiting: Set<PlainConnection>,
): (connection: PlainConnection) => void {
  const proxies = trustedProxies(proxyProtocol);
  return (connection) => {
    if (proxies === undefined || (type !== "unix" && !proxies.has(connection.info.remoteAddress))) {
      admit(connection, welcome, onError);
      return;
    }
    const afterHeader = (source: { address: string; port: number } | undefined): ConnectionHandler | undefined => {
      if (source !== undefined) connection.info = new ProxiedInfo(connection.info, source);
      return askHandler(connection, welcome, onError);
    };
    connection.attach(new ProxyHandshake(connection, proxyProtocol?.timeout, afterHeader, onError, waiting));
  };
}

export interface PlainAdmission {
  /** Listener for the server's "connection" event. */
  readonly accepted: (socket: Socket) => void;
  /**
   * Call it when the server listens: where possible, connections are then made without sockets.
   * @returns a function that undoes this
   */
  listening(server: Server): (() => void) | undefined;
}

/** For TCP and Unix sockets. `waiting` has the connections whose PROXY header has not arrived. */
export function plainAdmission(
  config: TcpListenerConfig | UnixListenerConfig,
  accept: Accept,
  options: ListenerContext,
  count: ConnectionCount,
  waiting: Set<PlainConnection>,
): PlainAdmission {
  const transport = config.type;
  const adopt = sharedRead(options.readBuffer);
  const lingerTimeout = config.lingerTimeout ?? DEFAULT_LINGER_MS;
  const keepAliveMs = config.type === "tcp" ? config.tcpKeepAliveDelay : undefined;
  const { onError, admits } = options;
  const welcome: Accept = (connection) => (admits?.(connection.info) === false ? undefined : accept(connection));
  const opened = afterProxyHeader(config, welcome, onError, waiting);
  return {
    accepted(socket) {
      if (keepAliveMs !== undefined) socket.setKeepAlive(true, keepAliveMs);
      const adopted = adopt?.(socket);
      const stream = adopted ?? socket;
      const way = adopted === undefined ? "socket" : "shared";
      opened(new StreamConnection(stream, new SocketInfo(transport, stream), lingerTimeout, count, way));
    },
    listening(server) {
      const buffer = options.readBuffer;
      if (buffer === undefined || config.rawTcp === false) return undefined;
      const keepAliveSeconds = keepAliveMs === undefined ? undefined : Math.trunc(keepAliveMs / 1000);
      return acceptRaw(server, { transport, buffer, lingerTimeout, keepAliveSeconds, count }, opened);
    },
  };
}
