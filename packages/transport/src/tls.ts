// TLS listener.
import type { Server } from "node:net";
import { createServer } from "node:tls";
import { admit } from "./admission.ts";
import { acceptOptions, bind, ipListenOptions, portOf, printableAddress, unbind } from "./bind.ts";
import type { Accept } from "./connection.ts";
import { ListenerError } from "./errors.ts";
import type { Listener, ListenerOptions } from "./listener.ts";
import type { TlsListenerConfig } from "./listener-config.ts";
import { front } from "./proxy-admission.ts";
import { plainAddress } from "./socket-info.ts";
import { StreamConnection } from "./stream-connection.ts";
import { TlsCertificates } from "./tls-certificates.ts";
import { TlsSocketInfo } from "./tls-info.ts";

export class TlsListener implements Listener {
  connections = 0;
  port: number | undefined;
  private readonly config: TlsListenerConfig;
  private readonly accept: Accept;
  private readonly options: ListenerOptions;
  private server: Server | undefined;
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
    const inner = createServer({ ...acceptOptions(config), ...certificates.serverOptions(), allowHalfOpen: true });
    const { server, sourceOf } = front(inner, config, options.onError);
    inner.on("secureConnection", (socket) => {
      const info = new TlsSocketInfo("tls", socket, sourceOf(socket));
      admit(new StreamConnection(socket, info, config.lingerMs, this), this.accept, options);
    });
    inner.on("tlsClientError", (cause, socket) => {
      socket.destroy();
      options.onError?.(handshakeError(socket.remoteAddress, cause));
    });
    await bind(server, ipListenOptions(config), this.address);
    server.on("error", (error) => options.onError?.(error));
    this.server = server;
    this.port = portOf(server);
    this.certificates = certificates;
    await certificates.watch(inner);
  }

  async close(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    this.certificates?.stop();
    this.certificates = undefined;
    if (server !== undefined) await unbind(server);
  }

  async reloadCertificates(): Promise<void> {
    await this.certificates?.reload();
  }
}

export function handshakeError(peer: string | undefined, cause: Error): ListenerError {
  const text = `TLS handshake with ${plainAddress(peer ?? "a client that has left")} failed: ${cause.message}`;
  return new ListenerError("ERR_LISTENER_HANDSHAKE", text, cause);
}
