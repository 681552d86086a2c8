// Listeners: one function from plain data to something that accepts connections.

import { printableAddress } from "./bind.ts";
import type { Accept, ConnectionInfo } from "./connection.ts";
import { ListenerError } from "./errors.ts";
import type { ListenerConfig, WsListenerConfig, WssListenerConfig } from "./listener-config.ts";
import { checkProxies } from "./proxy-admission.ts";
import type { ReadBuffer } from "./shared-read.ts";
import { TcpListener } from "./tcp.ts";
import { TlsListener } from "./tls.ts";
import type { CertificateNotice } from "./tls-certificates.ts";
import { UnixListener } from "./unix.ts";

export interface ListenerOptions {
  /**
   * Where the bytes of all TCP and Unix connections of the process are read to, one read at a time: `data(bytes, start, …)`
   * names this very array. Not used on Windows, nor by TLS and WebSocket.
   */
  readBuffer?: ReadBuffer;
  /**
   * Asked once for each client, as soon as its address is known and before anything else is spent on it; false: it is
   * closed without an answer.
   */
  admits?: (client: Pick<ConnectionInfo, "remoteAddress">) => boolean;
  /** Trouble that is not a connection's own: failed handshakes, bad PROXY headers, certificates that cannot be reloaded. */
  onError?: (error: Error) => void;
  /** A certificate or revocation list has changed, or ends soon. */
  onCertificate?: (notice: CertificateNotice) => void;
}

export interface Listener {
  /** Printable: `mqtt://127.0.0.1:1883`. With port 0 the true port is known after `listen()`. */
  readonly address: string;
  readonly port: number | undefined;
  /** Open connections. */
  readonly connections: number;
  /** Rejects with a `ListenerError`. */
  listen(): Promise<void>;
  /**
   * Reads what another configuration of the same socket (`isSameSocket`) needs.
   * @returns what puts it in force: for connections that come from then on, those that are open stay as they are. Rejects
   * with a ListenerError; nothing has changed then
   */
  prepare(config: ListenerConfig): Promise<() => void>;
  /** Stops accepting; open connections stay, handshakes that are under way end. */
  close(): Promise<void>;
  /** TLS only: reads certificates, keys, CAs and CRLs again. Open connections stay; if it rejects, the old ones stay too. */
  reloadCertificates?(): Promise<void>;
}

/** Does not listen yet. Throws ERR_LISTENER_CONFIG for addresses that are none; files are read by `listen()`. */
export function createListener(config: ListenerConfig, accept: Accept, options: ListenerOptions = {}): Listener {
  checkProxies(config);
  switch (config.type) {
    case "tcp":
      return new TcpListener(config, accept, options);
    case "tls":
      return new TlsListener(config, accept, options);
    case "unix":
      return new UnixListener(config, accept, options);
    case "ws":
    case "wss":
      return new LazyWsListener(config, accept, options);
  }
}

/** Loads the WebSocket half, and with it the `ws` package, only when one listens. */
class LazyWsListener implements Listener {
  private readonly config: WsListenerConfig | WssListenerConfig;
  private readonly accept: Accept;
  private readonly options: ListenerOptions;
  private loaded: Listener | undefined;

  constructor(config: WsListenerConfig | WssListenerConfig, accept: Accept, options: ListenerOptions) {
    this.config = config;
    this.accept = accept;
    this.options = options;
  }

  get address(): string {
    return this.loaded?.address ?? printableAddress(this.config.type, this.config.host, this.config.port);
  }

  get port(): number | undefined {
    return this.loaded === undefined ? this.config.port : this.loaded.port;
  }

  get connections(): number {
    return this.loaded?.connections ?? 0;
  }

  async listen(): Promise<void> {
    const { createWebSocketListener } = await import("./ws.ts");
    this.loaded ??= createWebSocketListener(this.config, this.accept, this.options);
    await this.loaded.listen();
  }

  async close(): Promise<void> {
    await this.loaded?.close();
  }

  async prepare(config: ListenerConfig): Promise<() => void> {
    if (this.loaded === undefined) throw new ListenerError("ERR_LISTENER_CONFIG", "the listener does not listen");
    return this.loaded.prepare(config);
  }

  async reloadCertificates(): Promise<void> {
    await this.loaded?.reloadCertificates?.();
  }
}
