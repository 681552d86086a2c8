// From an accepted plain connection to a handler: PROXY header if the peer is a proxy, then `accept`.
import type { Server, Socket } from "node:net";
import type { Accept, Connection, ConnectionHandler, ExternalConnection, PlainConnection } from "../connection.ts";
import { acceptRaw } from "../connections/raw-tcp.ts";
import { sharedRead } from "../connections/shared-read.ts";
import { ProxiedInfo, SocketInfo } from "../connections/socket-info.ts";
import { type ConnectionCount, StreamConnection } from "../connections/stream-connection.ts";
import { ListenerError, messageOf } from "../errors.ts";
import { DEFAULT_LINGER_MS, type TcpListenerConfig, type UnixListenerConfig } from "../listener-config.ts";
import { ProxyHandshake, trustedProxies } from "../proxy-protocol/proxy-admission.ts";
import type { ListenerContext } from "./listener.ts";

/** Asks for a handler; a refusal, or an accept that throws, is undefined. */
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

/** Asks for a handler and starts the connection with it, or ends it. */
export function admit(connection: ExternalConnection, accept: Accept, { onError }: ListenerContext): void {
  const handler = askHandler<Connection>(connection, accept, onError);
  if (handler === undefined) connection.destroy();
  else connection.attach(handler);
}

export interface PlainAdmission {
  /** For the server's "connection" event. */
  readonly accepted: (socket: Socket) => void;
  /** Call it when the server listens: where it can be, its connections do without sockets. @returns what ends that */
  listening(server: Server): (() => void) | undefined;
}

/** For what carries MQTT directly: TCP and Unix. Who still owes a PROXY header is in `waiting`. Behind a Unix socket every peer is a trusted proxy, as files have permissions. */
export function plainAdmission(
  config: TcpListenerConfig | UnixListenerConfig,
  accept: Accept,
  options: ListenerContext,
  count: ConnectionCount,
  waiting: Set<PlainConnection>,
): PlainAdmission {
  const transport = config.type;
  const adopt = sharedRead(options.readBuffer);
  const proxies = trustedProxies(config.proxyProtocol);
  const lingerMs = config.lingerMs ?? DEFAULT_LINGER_MS;
  const keepAliveMs = config.type === "tcp" ? config.tcpKeepAliveMs : undefined;
  const { onError, admits } = options;
  const welcome: Accept = (connection) => (admits?.(connection.info) === false ? undefined : accept(connection));
  const opened = (connection: PlainConnection): void => {
    if (proxies === undefined || (transport !== "unix" && !proxies.has(connection.info.remoteAddress))) {
      admit(connection, welcome, options);
      return;
    }
    const afterHeader = (source: { address: string; port: number } | undefined): ConnectionHandler | undefined => {
      if (source !== undefined) connection.info = new ProxiedInfo(connection.info, source);
      return askHandler<Connection>(connection, welcome, onError);
    };
    const { timeoutMs } = config.proxyProtocol ?? {};
    connection.attach(new ProxyHandshake(connection, timeoutMs, afterHeader, onError, waiting));
  };
  return {
    accepted(socket) {
      if (keepAliveMs !== undefined) socket.setKeepAlive(true, keepAliveMs);
      const adopted = adopt?.(socket);
      const stream = adopted ?? socket;
      const way = adopted === undefined ? "socket" : "shared";
      opened(new StreamConnection(stream, new SocketInfo(transport, stream), lingerMs, count, way));
    },
    listening(server) {
      const buffer = options.readBuffer;
      if (buffer === undefined || config.rawTcp === false) return undefined;
      const keepAliveSeconds = keepAliveMs === undefined ? undefined : Math.trunc(keepAliveMs / 1000);
      return acceptRaw(server, { transport, buffer, lingerMs, keepAliveSeconds, count }, opened);
    },
  };
}
