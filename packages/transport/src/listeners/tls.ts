// TLS listener.
import { createServer } from "node:tls";
import { admit } from "./admission.ts";
import { bind, ipListenOptions, portOf, printableAddress } from "./bind.ts";
import type { Accept } from "./connection.ts";
import { Front } from "./front.ts";
import type { Listener, ListenerOptions } from "./listener.ts";
import type { TlsListenerConfig } from "./listener-config.ts";
import { StreamConnection } from "./stream-connection.ts";
import { TlsCertificates } from "./tls-certificates.ts";
import { TlsSocketInfo } from "./tls-info.ts";

export class TlsListener implements Listener {
  connections = 0;
  port: number | undefined;
  private readonly config: TlsListenerConfig;
  private readonly accept: Accept;
  private readonly options: ListenerOptions;
  private front: Front | undefined;
  private certificates: TlsCertificates | undefined;

  constructor(config: TlsListenerConfig, accept: Accept, options: ListenerOptions) {
    this.config = config;
    this.accept = accept;
    this.options = options;
    this.port = config.port;
  }

  get address(): string {
    return printableAddress("mqtts", this.config.host, this.port ?? this.config.port);
  }

  async listen(): Promise<void> {
    const { config, options } = this;
    const certificates = await TlsCertificates.load(config.tls, options.onError);
    const inner = createServer(certificates.serverOptions());
    const front = new Front(inner, config, options);
    inner.on("secureConnection", (socket) => {
      const info = new TlsSocketInfo("tls", socket, front.arrived(socket));
      socket.allowHalfOpen = true;
      admit(new StreamConnection(socket, info, config.lingerMs, this), this.accept, options);
    });
    await bind(front.server, ipListenOptions(config), this.address);
    front.server.on("error", (error) => options.onError?.(error));
    this.front = front;
    this.port = portOf(front.server);
    this.certificates = certificates;
    await certificates.watch(inner);
  }

  async close(): Promise<void> {
    const { front } = this;
    this.front = undefined;
    this.certificates?.stop();
    this.certificates = undefined;
    await front?.close();
  }

  async reloadCertificates(): Promise<void> {
    await this.certificates?.reload();
  }
}
