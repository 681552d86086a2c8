// From an accepted plain socket to a handler: shared reading, PROXY header if the peer is a proxy, then `accept`.
import type { Socket } from "node:net";
import type { Accept, ConnectionHandler, ConnectionInfo } from "./connection.ts";
import { ListenerError, messageOf } from "./errors.ts";
import type { ListenerOptions } from "./listener.ts";
import type { CommonListenerConfig } from "./listener-config.ts";
import { sharedRead } from "./shared-read.ts";
import { type ConnectionCount, StreamConnection } from "./stream-connection.ts";

export type Admit = (socket: Socket, info: ConnectionInfo) => void;

/** Asks for a handler; a refusal, or an accept that throws, is undefined. */
export function askHandler(
  connection: StreamConnection,
  accept: Accept,
  onError: ((error: Error) => void) | undefined,
): ConnectionHandler | undefined {
  try {
    return accept(connection);
  } catch (cause) {
    onError?.(new ListenerError("ERR_LISTENER_ACCEPT", `accepting a connection failed: ${messageOf(cause)}`, cause));
    return undefined;
  }
}

export function admission(
  config: CommonListenerConfig,
  accept: Accept,
  options: ListenerOptions,
  count: ConnectionCount,
): Admit {
  const adopt = sharedRead(options.readBuffer);
  return (accepted, info) => {
    const adopted = adopt?.(accepted);
    const connection = new StreamConnection(adopted ?? accepted, info, config.lingerMs, count, adopted !== undefined);
    const handler = askHandler(connection, accept, options.onError);
    if (handler === undefined) connection.destroy();
    else connection.attach(handler);
  };
}
