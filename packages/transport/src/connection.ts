// The contract between transport and protocol. A `Connection` moves bytes in order in both directions; a
// `ConnectionHandler` receives them. Nothing here depends on MQTT or on Node.

/** What carries the bytes; `external`: a connection that the embedding program brings. */
export type TransportName = "tcp" | "tls" | "ws" | "wss" | "unix" | "external" | "memory";

/** The certificate of the peer, as far as authentication needs it. */
export interface PeerCertificate {
  /** Distinguished name, one `KEY=value` per line as Node prints it. */
  subject: string;
  commonName?: string;
  /** Pieces in Node's notation: `DNS:…`, `URI:…`, `email:…`, `IP Address:…`. */
  subjectAltNames: string[];
  /** SHA-256 of the DER bytes, upper-case hex with colons. */
  fingerprint256: string;
  serialNumber: string;
  /** The certificate in DER. */
  raw: Uint8Array;
}

export interface TlsInfo {
  /** The peer sent a certificate, and it was accepted. */
  authorized: boolean;
  /** `TLSv1.3`, … */
  protocol: string;
  /** Server name of the ClientHello (SNI). */
  servername: string | undefined;
  certificate?: PeerCertificate;
}

export interface ConnectionInfo {
  readonly transport: TransportName;
  /** Address of the client; behind a trusted proxy the one the proxy reported. IPv4 is never written as `::ffff:…`. */
  readonly remoteAddress: string;
  readonly remotePort: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly tls?: TlsInfo;
  /** Headers of the HTTP request that became this connection (WebSocket only), names in lower case. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** A stream of bytes in both directions. No method calls the handler before it returns. */
export interface Connection {
  /** Unique in the process. */
  readonly id: number;
  readonly info: ConnectionInfo;
  /**
   * Writes `bytes`.
   *
   * @returns true: all bytes have been taken and the buffer may be reused at once; also after `end()`, `destroy()` or
   * the loss of the connection, when they are dropped. False: the connection keeps `bytes` until it calls `drain()`; do
   * not write before that.
   */
  write(bytes: Uint8Array): boolean;
  /**
   * Writes as many of these bytes as the system takes at once, and none while it still has to take earlier ones; the
   * buffer may be reused at once. Absent: this connection cannot do it.
   * @returns how many were taken, from `start` on
   */
  tryWrite?(bytes: Uint8Array, start: number, end: number): number;
  /** No `data()` until `resume()`; the transport slows the peer down. */
  pause(): void;
  resume(): void;
  /**
   * Sends what was written, half-closes, then reads and discards until the peer closes or the linger time (2,000 ms
   * unless configured) is over, then destroys. So the last packet arrives even at a client that is still sending:
   * closing a socket with unread bytes would reset it, and a reset overtakes data.
   */
  end(): void;
  /** Closes at once; what has not been sent is lost. */
  destroy(): void;
}

export interface ConnectionHandler {
  /** `bytes[start, end)` is valid only during the call. */
  data(bytes: Uint8Array, start: number, end: number): void;
  /** The bytes of the `write()` that returned false have been sent; the buffer may be reused. */
  drain(): void;
  /** Called exactly once, as the last call. With an error the connection was lost, otherwise it was closed. */
  closed(error: Error | undefined): void;
}

/**
 * Called by a listener for each new connection. It returns the handler, or undefined to refuse: the transport then
 * destroys the connection.
 */
export type Accept = (connection: Connection) => ConnectionHandler | undefined;

/**
 * A connection that does not come from a listener: its owner hands it to `broker.accept` once. Reading begins with
 * `attach`.
 */
export interface ExternalConnection extends Connection {
  attach(handler: ConnectionHandler): void;
}

/** @internal A connection that may begin with a PROXY header; between transports only. */
export interface PlainConnection extends ExternalConnection {
  /** Replaced once, before `accept`, where a proxy reports the true address. */
  info: ConnectionInfo;
  /** Replaces the handler in the middle of the stream; the new one receives `bytes[start, end)` first. */
  handOver(handler: ConnectionHandler, bytes: Uint8Array, start: number, end: number): void;
  /** Detaches the system's handle in the middle of the stream: see `releaseSocket`. */
  detach(): object | undefined;
  /** Does `write` normally finish before it returns? */
  readonly isQuick: boolean;
  /** `write` of several pieces of memory, in one system call where possible. */
  writeAll(pieces: readonly Uint8Array[]): boolean;
}

let lastId = 0;

/** For implementers of `Connection`: the next unused `id`. */
export function nextConnectionId(): number {
  lastId += 1;
  return lastId;
}
