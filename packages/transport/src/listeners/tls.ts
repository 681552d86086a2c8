// TLS listener.
import { createServer } from "node:tls";
import type { Accept } from "../connection.ts";
import { StreamConnection } from "../connections/stream-connection.ts";
import type { TlsListenerConfig } from "../listener-config.ts";
import { TlsCertificates } from "../tls/tls-certificates.ts";
import { TlsSocketInfo } from "../tls/tls-info.ts";
import { admit } from "./admission.ts";
import { bind, ipListenOptions, portOf, printableAddress } from "./bind.ts";
import type { Listener, ListenerContext } from "./listener.ts";
import { PreHandshakeServer } from "./pre-handshake-server.ts";

export class TlsListener implements Listener {
  connections = 0;
  port: number | undefined;
  private readonly config: TlsListenerConfig;
  private readonly accept: Accept;
  private readonly options: ListenerContext;
  private gate: PreHandshakeServer | undefined;
  private certificates: TlsCertificates | undefined;

  constructor(config: TlsListenerConfig, accept: Accept, options: ListenerContext) {
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
    const gate = new PreHandshakeServer(inner, config, options);
    inner.on("secureConnection", (socket) => {
      const info = new TlsSocketInfo("tls", socket, gate.arrived(socket));
      socket.allowHalfOpen = true;
      admit(new StreamConnection(socket, info, config.lingerMs, this), this.accept, options);
    });
    await bind(gate.server, ipListenOptions(config), this.address);
    gate.server.on("error", (error) => options.onError?.(error));
    this.gate = gate;
    this.port = portOf(gate.server);
    this.certificates = certificates;
    await certificates.watch(inner);
  }

  async close(): Promise<void> {
    const { gate } = this;
    this.gate = undefined;
    this.certificates?.stop();
    this.certificates = undefined;
    await gate?.close();
  }

  async reloadCertificates(): Promise<void> {
    await this.certificates?.reload();
  }
}
