// TLS listener.
import { admit } from "./admission.ts";
import type { Accept } from "./connection.ts";
import type { Front, Stage } from "./front.ts";
import { HandshakeListener } from "./handshake-listener.ts";
import type { ListenerOptions } from "./listener.ts";
import type { TlsListenerConfig } from "./listener-config.ts";
import { StreamConnection } from "./stream-connection.ts";
import type { TlsIdentity } from "./tls-certificates.ts";
import { TlsSocketInfo } from "./tls-info.ts";
import { tlsServer } from "./tls-server.ts";

export class TlsListener extends HandshakeListener<TlsListenerConfig> {
  private readonly accept: Accept;

  constructor(config: TlsListenerConfig, accept: Accept, options: ListenerOptions) {
    super(config, options);
    this.accept = accept;
  }

  protected override stage(config: TlsListenerConfig, front: Front, identity: TlsIdentity): Stage {
    const server = tlsServer(identity, front, config.tls.alpn, (socket) => {
      const info = new TlsSocketInfo("tls", socket, front.arrived(socket));
      socket.allowHalfOpen = true;
      admit(new StreamConnection(socket, info, config.lingerMs, this), this.accept, this.options);
    });
    return { config, server, isProxy: () => false, close: () => void server.close() };
  }
}
