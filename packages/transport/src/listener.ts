// Listeners: one function from plain data to something that accepts connections.
import type { Accept } from "./connection.ts";
import type { ListenerConfig } from "./listener-config.ts";
import type { ReadBuffer } from "./shared-read.ts";
import { TcpListener } from "./tcp.ts";

export interface ListenerOptions {
  /**
   * Where the bytes of all TCP and Unix connections of the process are read to, one read at a time: `data(bytes, start, …)`
   * names this very array. Not used on Windows, nor by TLS and WebSocket.
   */
  readBuffer?: ReadBuffer;
  /** Trouble that is not a connection's own: failed handshakes, bad PROXY headers, certificates that cannot be reloaded. */
  onError?: (error: Error) => void;
}

export interface Listener {
  /** Printable: `mqtt://127.0.0.1:1883`. With port 0 the true port is known after `listen()`. */
  readonly address: string;
  readonly port: number | undefined;
  /** Open connections. */
  readonly connections: number;
  /** Rejects with a `ListenerError`. */
  listen(): Promise<void>;
  /** Stops accepting; open connections stay. */
  close(): Promise<void>;
  /** TLS only: reads certificates, keys, CAs and CRLs again. Open connections stay; if it rejects, the old ones stay too. */
  reloadCertificates?(): Promise<void>;
}

/** Does not listen yet. */
export function createListener(config: ListenerConfig, accept: Accept, options: ListenerOptions = {}): Listener {
  switch (config.type) {
    case "tcp":
      return new TcpListener(config, accept, options);
    default:
      throw new Error("not yet");
  }
}
