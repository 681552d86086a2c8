// The type of a configuration, whatever its style. Plain data: it can be printed, compared and sent to a worker. It has
// names and paths; nothing has been opened.
import type { Limits as AllLimits } from "@wrenmq/limits";

/** The broker's limits that a file may set. 0 means "no limit" where the table says so. */
export type Limits = {
  -readonly [Name in Exclude<
    keyof AllLimits,
    "maxClientIdLength" | "outboundTopicAliasMaximum" | "keepAliveExtra" | "highWater" | "maxUnsettled" | "maxBuffered"
  >]: AllLimits[Name];
};

export type ListenerType = "tcp" | "tls" | "ws" | "wss" | "unix" | "external";

/** One certificate of a listener that has several, selected by the server name that the client sends (SNI). */
export interface SniCertificate {
  /** Host name; a leading `*.` stands for one label. */
  serverName: string;
  certificateFile: string;
  keyFile: string;
}

/** TLS of one listener. Files are absolute paths, except in a configuration made from an object. */
export interface TlsSection {
  certificateFile: string;
  keyFile: string;
  keyPassphrase?: string;
  caFile?: string;
  /** A folder of PEM files. */
  caPath?: string;
  /** PEM text. */
  caData?: string;
  crlFile?: string;
  /** Ask for a client certificate; one that is sent must be valid. */
  requestCertificate: boolean;
  /** Refuse clients without a valid certificate. */
  requireCertificate: boolean;
  /** Take the MQTT user name from the certificate. */
  userNameFrom: "none" | "common-name" | "subject" | "san";
  minimumVersion: "TLSv1.2" | "TLSv1.3";
  ciphers?: string;
  sni: SniCertificate[];
  /** Milliseconds for which a client may resume its session; 0: never. */
  sessionLifetime: number;
  /** File with a secret that other brokers have too. */
  sessionKeyFile?: string;
  /** Reload the files when they change; open connections stay. */
  watchFiles: boolean;
}

export interface ListenerSection {
  name: string;
  type: ListenerType;
  /** Absent: all addresses. Never set for unix and external. */
  host?: string;
  /** 0: any free port. Set for tcp, tls, ws, wss. */
  port?: number;
  /** unix: the socket's path; ws and wss: the URL's path. */
  path?: string;
  /** unix: permission bits of the socket. */
  mode?: number;
  backlog?: number;
  /** With an IPv6 host: do not listen for IPv4. */
  ipv6Only?: boolean;
  /** tcp, ws and unix: no `net.Socket` for each connection; absent: where that is known to work. */
  rawTcp?: boolean;
  /** Milliseconds that a closing connection has to send what is left. */
  lingerTimeout?: number;
  /** tls, ws, wss: milliseconds for the TLS handshake, and for the HTTP request. */
  handshakeTimeout?: number;
  /** Milliseconds without data before TCP probes; absent: none are sent. */
  tcpKeepAliveDelay?: number;
  /** ws and wss: bytes of one message. */
  maxPayload?: number;
  /** 0: no limit. */
  maxConnections: number;
  tls?: TlsSection;
  /** Connections from `trustedProxies` begin with a PROXY protocol header (v1 or v2). */
  proxyProtocol: boolean;
  /** Milliseconds for the PROXY header. */
  proxyTimeout?: number;
  /** Addresses or CIDR ranges whose PROXY header or X-Forwarded-For is believed. */
  trustedProxies: string[];
  /** ws and wss: allowed Origin headers; empty: any. */
  origins: string[];
  /**
   * Names of the plugins (see {@link PluginSection.name}) that decide about this listener's clients; `"inherit"`: all.
   */
  access: string[] | "inherit";
  /** Overrides of the global limits. */
  limits: Partial<Limits>;
}

export interface StoreSection {
  /** `memory`: nothing survives; `batch`: written within milliseconds; `fsync`: on the disk before it is acknowledged. */
  durability: "memory" | "batch" | "fsync";
  /** Folder of the data; absent with `memory`. */
  path?: string;
  /** Bytes that the data may use on disk; absent or 0: no limit. */
  maxBytes?: number;
  /** What to do at the start when the data are damaged; absent: refuse to start. */
  onDamage?: "refuse" | "set-aside";
  /** Remove the data when the broker is shut down; absent: keep them. */
  clearOnShutdown?: boolean;
}

export interface SharedSection {
  /** Which member of a shared subscription gets a message. */
  strategy: "round-robin" | "random" | "sticky" | "publisher";
}

export interface SysSection {
  enabled: boolean;
  intervalSeconds: number;
  names: "amqtt" | "mosquitto" | "both";
}

export interface LogSection {
  level: "trace" | "debug" | "info" | "warn" | "error" | "silent";
  /** Absent: `text` on a terminal, else `json`. */
  format?: "text" | "json";
}

export interface SessionConfig {
  /** Seconds that a session without an expiry interval of its own (MQTT 3) outlives its connection; absent: for ever. */
  defaultExpiry?: number;
  /** Seconds; longer expiry intervals are reduced to this; absent: no bound. */
  maximumExpiry?: number;
}

export interface KeepAliveConfig {
  /** Seconds added to 1.5 × keep alive before a silent client is disconnected. */
  extraDelaySeconds: number;
}

/** The plugins that come with WrenMQ. */
export type BuiltInPlugin =
  | "anonymous"
  | "password-file"
  | "acl"
  | "taboo"
  | "jwt"
  | "http"
  | "ldap"
  | "sql"
  | "x509"
  | "scram"
  | "token"
  | "shadows"
  | "guard"
  | "event-log"
  | "packet-log";

export interface PluginSection {
  /** Name of this instance, unique in the configuration. */
  name: string;
  /** A {@link BuiltInPlugin}, the name of a package, or the absolute path of a module. */
  use: string;
  origin: "built-in" | "package" | "path";
  /** Built-in plugins: checked, camelCase; others: as written, for the plugin's own validation. */
  options: Record<string, unknown>;
}

/** TLS of the admin API. */
export interface AdminTlsSection {
  certificateFile: string;
  keyFile: string;
  keyPassphrase?: string;
}

export interface AdminSection {
  /** Open the Unix socket for the command line? */
  socket: boolean;
  /** Where the admin API listens; absent: it does not. */
  bind?: { host?: string; port: number };
  tokensFile?: string;
  tls?: AdminTlsSection;
  /** Further names that the Host header may have. */
  hosts: string[];
  /** Listen without TLS or without tokens. */
  insecure: boolean;
  /** Serve the dashboard. */
  dashboard: boolean;
}

/** TLS to the NATS servers. */
export interface ClusterTlsSection {
  caFile?: string;
  certificateFile?: string;
  keyFile?: string;
}

export interface ClusterSection {
  name: string;
  /** Absent: the name of the machine. */
  member?: string;
  servers: string[];
  credentialsFile?: string;
  username?: string;
  password?: string;
  tls?: ClusterTlsSection;
  /** Absent: 6 with replicas, otherwise 16. */
  partitions?: number;
  /** Of sessions; 0: they are in memory only. */
  replicas: number;
  /** Milliseconds. */
  takeoverGrace: number;
  /** Absent: close with replicas, otherwise serve. */
  onIsolation?: "close" | "serve";
}

export interface WrenConfig {
  listeners: ListenerSection[];
  limits: Limits;
  store: StoreSection;
  sys: SysSection;
  plugins: PluginSection[];
  log: LogSection;
  admin: AdminSection;
  /** Absent: this broker is alone. */
  cluster?: ClusterSection;
  session: SessionConfig;
  keepAlive: KeepAliveConfig;
  shared: SharedSection;
  /** May clients publish to topics that begin with `$`? `$SYS` is the server's own in any case. */
  dollarTopics: "allow" | "refuse";
  /** Milliseconds that a plugin may take to answer. */
  pluginTimeout: number;
  /** Number of processes; 1: a single one that does everything; `"auto"`: one per core. */
  workers: number | "auto";
  /** Warm up the process before the first client connects. */
  warmUp: boolean;
  /** Absolute path of the file that this was read from; absent: it was not read from a file. */
  source?: string;
  /**
   * Absolute path of the folder of that file, or of the folder for relative paths of an object; packages of plugins are
   * searched from there. Absent: the working directory.
   */
  folder?: string;
}
