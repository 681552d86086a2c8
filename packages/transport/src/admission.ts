// From an accepted plain socket to a handler: shared reading, PROXY header if the peer is a proxy, then `accept`.
import type { Socket } from "node:net";
import type { Accept, ConnectionHandler, TransportName } from "./connection.ts";
import { ListenerError, messageOf } from "./errors.ts";
import type { ListenerOptions } from "./listener.ts";
import type { CommonListenerConfig } from "./listener-config.ts";
import { ProxyHandshake, trustedProxies } from "./proxy-admission.ts";
import { sharedRead } from "./shared-read.ts";
import { SocketInfo } from "./socket-info.ts";
import { type ConnectionCount, StreamConnection } from "./stream-connection.ts";

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
export function admit(connection: StreamConnection, accept: Accept, options: ListenerOptions): void {
  const handler = askHandler(connection, accept, options.onError);
  if (handler === undefined) connection.destroy();
  else connection.attach(handler);
}

/** For sockets that carry MQTT directly: TCP and Unix. Behind a Unix socket every peer is a trusted proxy, as files have permissions. */
export function plainAdmission(
  transport: TransportName,
  config: CommonListenerConfig,
  accept: Accept,
  options: ListenerOptions,
  count: ConnectionCount,
): (socket: Socket) => void {
  const adopt = sharedRead(options.readBuffer);
  const proxies = trustedProxies(config.proxyProtocol);
  const isProxy = (address: string): boolean => proxies !== undefined && (transport === "unix" || proxies.has(address));
  return (accepted) => {
    const adopted = adopt?.(accepted);
    const socket = adopted ?? accepted;
    const info = new SocketInfo(transport, socket);
    const connection = new StreamConnection(
      socket,
      info,
      config.lingerMs,
      count,
      adopted === undefined ? "socket" : "shared",
    );
    if (!isProxy(info.remoteAddress)) {
      admit(connection, accept, options);
      return;
    }
    const afterHeader = (source: { address: string; port: number } | undefined): ConnectionHandler | undefined => {
      if (source !== undefined) connection.info = new SocketInfo(transport, socket, source);
      return askHandler(connection, accept, options.onError);
    };
    connection.attach(new ProxyHandshake(connection, config.proxyProtocol?.timeoutMs, afterHeader, options.onError));
  };
}
