// What a listener is told: plain data, so that it can come from a file and be compared on reload.

/** PEM text or bytes; a string without "-----BEGIN" is the path of a PEM file. */
export type PemSource = string | Uint8Array;

/** A certificate with its key. */
export interface TlsCertificate {
  /** The certificate, followed by its intermediate ones. */
  cert: PemSource;
  key: PemSource;
  passphrase?: string;
  /** Names (`mqtt.example`, `*.example`) for which it is shown (SNI). The first certificate of the list is also the default. */
  servernames?: readonly string[];
}

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

export interface TlsConfig {
  certificates: readonly TlsCertificate[];
  /** Who may sign clients' certificates; files may hold several. */
  ca?: PemSource | readonly PemSource[];
  /** A directory: every *.pem, *.crt, *.cer file and every OpenSSL hash name (9d66eef0.0) in it is added to `ca`. */
  caPath?: string;
  /** Revocation lists; with any, every CA of a client's chain needs one. Files may hold several. */
  crl?: PemSource | readonly PemSource[];
  /** Ask clients for a certificate, and admit them without. */
  requestCertificate?: boolean;
  /** Admit only clients with a valid certificate. */
  requireCertificate?: boolean;
  /** Default TLSv1.2. */
  minVersion?: TlsVersion;
  maxVersion?: TlsVersion;
  /** OpenSSL cipher list. */
  ciphers?: string;
  /** ALPN names offered; default none. */
  alpn?: readonly string[];
  /** Milliseconds for the TLS handshake; default 10,000. */
  handshakeTimeoutMs?: number;
  /** Milliseconds between looks at the files for change; 0: never. Default 10,000. */
  watchIntervalMs?: number;
}

/** Peers that begin with a PROXY protocol header (v1 or v2). */
export interface ProxyProtocolConfig {
  /** Addresses and networks (`10.0.0.1`, `10.0.0.0/8`, `fd00::/8`) of the proxies. Others connect without a header. */
  trusted: readonly string[];
  /** Milliseconds for the header; default 5,000. */
  timeoutMs?: number;
}

export interface WebSocketConfig {
  /** Path of the URL, default any. Several may be given. */
  path?: string | readonly string[];
  /** Origins (`https://example.org`) that pages may come from; default any. Requests without Origin (not browsers) pass. */
  origins?: readonly string[];
  /** Longest message in bytes; default: any, as no message is collected. Whoever sets it lets clients know of packets no longer. */
  maxPayload?: number;
  /** Networks whose `X-Forwarded-For` is believed. */
  trustedProxies?: readonly string[];
  /** Milliseconds for the HTTP request; default 10,000. */
  handshakeTimeoutMs?: number;
}

export interface CommonListenerConfig {
  /** Connections the system holds before they are accepted; default 4096 (the system may allow less). */
  backlog?: number;
  /** See `Connection.end()`; default 2000 ms. */
  lingerMs?: number;
  proxyProtocol?: ProxyProtocolConfig;
}

export interface IpListenerConfig extends CommonListenerConfig {
  /** 0: any free port. */
  port: number;
  /** Default: every address, IPv6 and IPv4. IPv6 without brackets. */
  host?: string;
  /** With host `::`, leave IPv4 alone. */
  ipv6Only?: boolean;
  /** Idle milliseconds before TCP keep-alive probes; default none (MQTT has its own). */
  tcpKeepAliveMs?: number;
}

/** How TCP and Unix listeners treat the system's handles. */
export interface PlainListenerConfig {
  /**
   * false: each connection is a `net.Socket`, which costs twice the time to accept and several kilobytes more. Default
   * true: none is, on systems and versions of Node where that is known to work.
   */
  rawTcp?: boolean;
}

export interface TcpListenerConfig extends IpListenerConfig, PlainListenerConfig {
  type: "tcp";
}

export interface TlsListenerConfig extends IpListenerConfig {
  type: "tls";
  tls: TlsConfig;
}

export interface WsListenerConfig extends IpListenerConfig {
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
  /** Permissions of the socket file (0o660); default what the umask leaves. */
  mode?: number;
}

export type ListenerConfig =
  | TcpListenerConfig
  | TlsListenerConfig
  | WsListenerConfig
  | WssListenerConfig
  | UnixListenerConfig;

export const DEFAULT_BACKLOG = 4096;
export const DEFAULT_LINGER_MS = 2000;
