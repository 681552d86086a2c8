// Makes a listener of plain data.
import type { Accept } from "../connection.ts";
import { ListenerError } from "../errors.ts";
import type { ListenerConfig, WsListenerConfig, WssListenerConfig } from "../listener-config.ts";
import { checkProxies } from "../proxy-protocol/proxy-admission.ts";
import { printableAddress } from "./bind.ts";
import type { Listener, ListenerContext } from "./listener.ts";
import { TcpListener } from "./tcp.ts";
import { TlsListener } from "./tls.ts";
import { UnixListener } from "./unix.ts";

/**
 * Makes a listener; `listen()` opens it. Files are read by `listen()`.
 * @throws ListenerError ERR_LISTENER_CONFIG for invalid addresses in lists of proxies
 */
export function createListener(config: ListenerConfig, accept: Accept, options: ListenerContext = {}): Listener {
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

/** Loads the code for WebSocket only when a WebSocket listener listens. */
class LazyWsListener implements Listener {
  private readonly config: WsListenerConfig | WssListenerConfig;
  private readonly accept: Accept;
  private readonly options: ListenerContext;
  private loaded: Listener | undefined;

  constructor(config: WsListenerConfig | WssListenerConfig, accept: Accept, options: ListenerContext) {
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
