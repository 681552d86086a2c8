// The configuration of a listener: plain data, so that it can come from a file and be compared on reload.

/** PEM text or bytes; a string without "-----BEGIN" is the path of a PEM file. */
export type PemSource = string | Uint8Array;

/** A certificate with its key. */
export interface TlsCertificate {
  /** The certificate, followed by its intermediate ones. */
  cert: PemSource;
  key: PemSource;
  /** Of the key. Default: the key is not encrypted. */
  passphrase?: string;
  /**
   * Server names (`mqtt.example`, `*.example`) for which this certificate is used (SNI). The first certificate of the list
   * is also used for all other names. Default: none.
   */
  servernames?: readonly string[];
}

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

export interface TlsConfig {
  certificates: readonly TlsCertificate[];
  /** Certificate authorities of client certificates; files may contain several. Default: those of Node. */
  ca?: PemSource | readonly PemSource[];
  /**
   * A directory: every *.pem, *.crt, *.cer file and every OpenSSL hash name (9d66eef0.0) in it is added to `ca`.
   * Default: none.
   */
  caPath?: string;
  /** Revocation lists; if there is one, every CA of a client's chain needs one. Files may contain several. Default: none. */
  crl?: PemSource | readonly PemSource[];
  /** Ask clients for a certificate; one that is sent must be valid, and a client without one is admitted. Default false. */
  requestCertificate?: boolean;
  /** Admit only clients with a valid certificate. Default false. */
  requireCertificate?: boolean;
  /** Default TLSv1.2. */
  minVersion?: TlsVersion;
  /** Default: the latest that Node has. */
  maxVersion?: TlsVersion;
  /** OpenSSL cipher list. Default: that of Node. */
  ciphers?: string;
  /** ALPN names offered. Default: none. */
  alpn?: readonly string[];
  /** Milliseconds for the TLS handshake. Default 10,000. */
  handshakeTimeout?: number;
  /**
   * Milliseconds for which a client may resume its session instead of a full handshake: longer than seven days is
   * taken as that; 0: never. Default 12 hours.
   */
  sessionLifetime?: number;
  /**
   * File with at least 32 random bytes: brokers with the same can resume each other's sessions, and those from before a
   * restart. Default: a secret of this process and its workers.
   */
  sessionKeyFile?: string;
  /** Milliseconds between two checks whether the files have changed; 0: never. Default 10,000. */
  watchInterval?: number;
}

/** Connections that begin with a PROXY protocol header (v1 or v2). */
export interface ProxyProtocolConfig {
  /** Addresses and networks (`10.0.0.1`, `10.0.0.0/8`, `fd00::/8`) of the proxies. Other peers connect without a header. */
  trusted: readonly string[];
  /** Milliseconds for the header. Default 5,000. */
  timeout?: number;
}

export interface WebSocketConfig {
  /** Path of the URL, or several. Default: any. */
  path?: string | readonly string[];
  /** Allowed Origin headers (`https://example.org`). Requests without Origin (not from browsers) pass. Default: any. */
  origins?: readonly string[];
  /**
   * Bytes of the longest WebSocket message. Default: no limit, as messages are not collected. A limit must not be lower
   * than the Maximum Packet Size that MQTT 5 announces: the broker lowers that one to it.
   */
  maxPayload?: number;
  /** Addresses and networks of proxies whose `X-Forwarded-For` header is believed. Default: none. */
  trustedProxies?: readonly string[];
  /** Milliseconds for the HTTP request. Default 10,000. */
  handshakeTimeout?: number;
}

export interface CommonListenerConfig {
  /** Connections that the system queues before they are accepted; the system may allow fewer. Default 4,096. */
  backlog?: number;
  /** Milliseconds that a connection has to send what is left after `Connection.end()`. Default 2,000. */
  lingerTimeout?: number;
  /** Default: no connection begins with a PROXY header. */
  proxyProtocol?: ProxyProtocolConfig;
}

export interface IpListenerConfig extends CommonListenerConfig {
  /** 0: any free port. */
  port: number;
  /** Address to listen at; IPv6 without brackets. Default: every address, IPv6 and IPv4. */
  host?: string;
  /** With host `::`: do not listen for IPv4. Default false. */
  ipv6Only?: boolean;
  /** Milliseconds without data before TCP keep-alive probes are sent. Default: none are, as MQTT has its own keep alive. */
  tcpKeepAliveDelay?: number;
}

/** Options of listeners whose connections need no `net.Socket`. */
export interface PlainListenerConfig {
  /**
   * Use the handles of Node directly, without a `net.Socket` for each connection, on systems and versions of Node where
   * that is known to work. With false, accepting takes twice the time and a connection several kilobytes more. Default true.
   */
  rawTcp?: boolean;
}

export interface TcpListenerConfig extends IpListenerConfig, PlainListenerConfig {
  type: "tcp";
}

export interface TlsListenerConfig extends IpListenerConfig, PlainListenerConfig {
  type: "tls";
  tls: TlsConfig;
}

export interface WsListenerConfig extends IpListenerConfig, PlainListenerConfig {
  type: "ws";
  websocket?: WebSocketConfig;
}

export interface WssListenerConfig extends IpListenerConfig {
  type: "wss";
  tls: TlsConfig;
  websocket?: WebSocketConfig;
}

export interface UnixListenerConfig extends CommonListenerConfig, PlainListenerConfig {
  type: "unix";
  path: string;
  /** Permissions of the socket file (0o660). Default: what the umask leaves. */
  mode?: number;
}

export type ListenerConfig =
  | TcpListenerConfig
  | TlsListenerConfig
  | WsListenerConfig
  | WssListenerConfig
  | UnixListenerConfig;

export const DEFAULT_SESSION_MS: number = 12 * 60 * 60 * 1000;
export const DEFAULT_BACKLOG = 4096;
export const DEFAULT_LINGER_MS = 2000;
