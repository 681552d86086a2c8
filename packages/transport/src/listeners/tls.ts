// The TLS listener.

import type { Socket } from "node:net";
import type { Accept } from "../connection.ts";
import { StreamConnection } from "../connections/stream-connection.ts";
import type { TlsListenerConfig } from "../listener-config.ts";
import type { TlsIdentity } from "../tls/tls-certificates.ts";
import { TlsSocketInfo } from "../tls/tls-info.ts";
import { admit } from "./admission.ts";
import { HandshakeListener } from "./handshake-listener.ts";
import type { ListenerContext } from "./listener.ts";
import type { PreHandshakeServer, Stage } from "./pre-handshake-server.ts";
import { tlsServer } from "./tls-server.ts";

export class TlsListener extends HandshakeListener<TlsListenerConfig> {
  private readonly accept: Accept;

  constructor(config: TlsListenerConfig, accept: Accept, options: ListenerContext) {
    super(config, options);
    this.accept = accept;
  }

  protected override stage(config: TlsListenerConfig, preHandshake: PreHandshakeServer, identity: TlsIdentity): Stage {
    const server = tlsServer(identity, preHandshake, config.tls.alpn, (socket) => {
      const info = new TlsSocketInfo("tls", socket, preHandshake.arrived(socket));
      socket.allowHalfOpen = true;
      admit(new StreamConnection(socket, info, config.lingerTimeout, this), this.accept, this.options.onError);
    });
    const begin = (socket: Socket): void => void server.emit("connection", socket);
    return { config, begin, isProxy: () => false, close: () => void server.close() };
  }
}
