// Base of the TLS and WebSocket listeners: owns the server that accepts sockets, the certificates, and the change of
// the configuration while it listens, which applies to later connections.

import type { ListenerConfig, TlsListenerConfig, WsListenerConfig, WssListenerConfig } from "../listener-config.ts";
import { checkProxies } from "../proxy-protocol/proxy-admission.ts";
import { CertificateWatch, TlsIdentity } from "../tls/tls-certificates.ts";
import { printableAddress } from "./bind.ts";
import type { Listener, ListenerContext } from "./listener.ts";
import { PreHandshakeServer, type Stage } from "./pre-handshake-server.ts";
import { mustBeSameSocket } from "./same-socket.ts";

type HandshakeConfig = TlsListenerConfig | WsListenerConfig | WssListenerConfig;

export abstract class HandshakeListener<C extends HandshakeConfig> implements Listener {
  connections = 0;
  port: number | undefined;
  protected config: C;
  protected readonly options: ListenerContext;
  private preHandshake: PreHandshakeServer | undefined;
  private watch: CertificateWatch | undefined;

  constructor(config: C, options: ListenerContext) {
    this.config = config;
    this.options = options;
    this.port = config.port;
  }

  get address(): string {
    const { type, host, port } = this.config;
    return printableAddress(type === "tls" ? "mqtts" : type, host, this.port ?? port);
  }

  /** Must not throw. */
  protected abstract stage(config: C, preHandshake: PreHandshakeServer, identity: TlsIdentity | undefined): Stage;

  async listen(): Promise<void> {
    const { config, options } = this;
    const preHandshake = new PreHandshakeServer(options);
    const identity = await this.identityOf(config);
    const watch = new CertificateWatch(() => this.reloadCertificates(), options);
    preHandshake.use(this.stage(config, preHandshake, identity));
    // Listening again uses the same port.
    await preHandshake.listen({ ...config, port: this.port ?? config.port }, this.address);
    this.preHandshake = preHandshake;
    this.port = preHandshake.port;
    this.watch = watch;
    if (identity !== undefined) watch.use(identity);
  }

  async prepare(wanted: ListenerConfig): Promise<() => void> {
    mustBeSameSocket(this.config, wanted, this.port);
    checkProxies(wanted);
    const config = wanted as C;
    const identity = await this.identityOf(config);
    return () => {
      const { preHandshake, watch } = this;
      if (preHandshake === undefined) return;
      this.config = config;
      // With other certificates or lists there are other ticket keys: no session is resumed past a revocation.
      preHandshake.use(this.stage(config, preHandshake, identity));
      if (identity !== undefined) watch?.use(identity);
    };
  }

  async reloadCertificates(): Promise<void> {
    const { config } = this;
    if (!("tls" in config)) return;
    const commit = await this.prepare(config);
    // The configuration may have changed meanwhile; then its certificates are newer.
    if (this.config === config) commit();
  }

  async close(): Promise<void> {
    const { preHandshake } = this;
    this.preHandshake = undefined;
    this.watch?.stop();
    this.watch = undefined;
    await preHandshake?.close();
  }

  private async identityOf(config: HandshakeConfig): Promise<TlsIdentity | undefined> {
    return "tls" in config ? TlsIdentity.load(config.tls, this.options.ticketSecret) : undefined;
  }
}
