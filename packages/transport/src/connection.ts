// The contract between bytes and protocol. Whoever can move bytes in order and both ways implements `Connection`;
// whoever wants them implements `ConnectionHandler`. Nothing here knows MQTT, and nothing here needs Node.

/** What carries the bytes; `external` is anything the embedding program brought itself. */
export type TransportName = "tcp" | "tls" | "ws" | "wss" | "unix" | "external" | "memory";

/** The certificate of the other side, as far as authentication needs it. */
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
  /** The certificate of the other side was asked for, given, and accepted. */
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

/** Bytes in both directions. Methods never call the handler before they return. */
export interface Connection {
  /** Unique in the process. */
  readonly id: number;
  readonly info: ConnectionInfo;
  /**
   * true: every byte has been taken and the buffer may be reused at once.
   * false: the connection keeps `bytes` until it calls `drain()`; do not write again before that.
   * After `end()`, `destroy()` or the loss of the connection the bytes are dropped and the answer is true.
   */
  write(bytes: Uint8Array): boolean;
  /**
   * Writes as many of these bytes as the system takes at once, none while it still has to take earlier ones; they may be
   * reused at once. Absent: this connection cannot tell.
   * @returns how many were taken, from `start` on
   */
  tryWrite?(bytes: Uint8Array, start: number, end: number): number;
  /** No more `data()` until `resume()`; the other side is slowed down by its own transport. */
  pause(): void;
  resume(): void;
  /**
   * Sends what was written, half-closes, then reads and discards until the other side closes or the linger time
   * (2000 ms unless configured) has passed, then destroys. So the last packet arrives even at a client that is
   * still sending: closing a socket with unread bytes would reset it, and a reset overtakes data.
   */
  end(): void;
  /** Closes at once; what was not sent is lost. */
  destroy(): void;
}

export interface ConnectionHandler {
  /** `bytes[start, end)` is valid only during the call. */
  data(bytes: Uint8Array, start: number, end: number): void;
  /** The bytes of the `write()` that returned false are gone; the buffer is yours again. */
  drain(): void;
  /** Exactly once, and the last call. An error says that the connection was lost rather than closed. */
  closed(error: Error | undefined): void;
}

/** What a listener calls for each new connection. undefined: refused, the transport destroys it. */
export type Accept = (connection: Connection) => ConnectionHandler | undefined;

/** A connection that no listener made: its owner accepts it by hand, once. Reading begins with `attach`. */
export interface ExternalConnection extends Connection {
  attach(handler: ConnectionHandler): void;
}

/** @internal A connection that may begin with a PROXY header; between transports only. */
export interface PlainConnection extends ExternalConnection {
  /** Replaced once, before `accept`, where a proxy reports the true address. */
  info: ConnectionInfo;
  /** Another handler takes over in the middle of the stream and gets `bytes[start, end)` first. */
  handOver(handler: ConnectionHandler, bytes: Uint8Array, start: number, end: number): void;
  /** Gives the system's handle away, in the middle of the stream: see `releaseSocket`. */
  detach(): object | undefined;
}

let lastId = 0;

/** For implementers of `Connection`: the next unused `id`. */
export function nextConnectionId(): number {
  lastId += 1;
  return lastId;
}
