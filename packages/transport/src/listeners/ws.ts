// The WebSocket and secure WebSocket listeners. Entry point `@wrenmq/transport/ws`.
import type { Server, Socket } from "node:net";
import type { Accept, PlainConnection } from "../connection.ts";
import { acceptRaw } from "../connections/raw-tcp.ts";
import type { TlsIdentity } from "../tls/tls-certificates.ts";
import { afterProxyHeader } from "./admission.ts";
import { HandshakeListener } from "./handshake-listener.ts";
import type { Listener, ListenerContext } from "./listener.ts";
import type { PreHandshakeServer, Stage } from "./pre-handshake-server.ts";
import { tlsServer } from "./tls-server.ts";
import { RawHandshake } from "./ws-raw-handshake.ts";
import { SocketHandshakes } from "./ws-socket-handshake.ts";
import { type WsConfig, WsUpgrades } from "./ws-upgrades.ts";

/** ALPN name that browsers offer and that Node's own HTTPS servers select. */
const HTTP = ["http/1.1"];

/** Makes a listener; `listen()` opens it. */
export function createWebSocketListener(config: WsConfig, accept: Accept, options: ListenerContext = {}): Listener {
  return new WsListener(config, accept, options);
}

class WsListener extends HandshakeListener<WsConfig> {
  private readonly accept: Accept;

  constructor(config: WsConfig, accept: Accept, options: ListenerContext) {
    super(config, options);
    this.accept = accept;
  }

  override get address(): string {
    return super.address + ([this.config.websocket?.path ?? ""].flat()[0] ?? "");
  }

  protected override stage(
    config: WsConfig,
    preHandshake: PreHandshakeServer,
    identity: TlsIdentity | undefined,
  ): Stage {
    const upgrades = new WsUpgrades(config, this.accept, this.options, this);
    const sockets = new SocketHandshakes(upgrades, preHandshake);
    const begin = (socket: Socket): void => sockets.begin(socket);
    const isProxy = (address: string): boolean => upgrades.isProxy(address);
    if (identity === undefined) {
      const listening = (server: Server): (() => void) | undefined => acceptClients(server, upgrades, preHandshake);
      return { config, begin, isProxy, listening, close: () => void sockets.server.close() };
    }
    const tls = tlsServer(identity, preHandshake, identity.config.alpn ?? HTTP, begin);
    const close = (): void => {
      tls.close();
      sockets.server.close();
    };
    return { config, begin: (socket) => void tls.emit("connection", socket), isProxy, close };
  }
}

/** Where possible, clients are accepted without sockets from now on. */
function acceptClients(
  server: Server,
  upgrades: WsUpgrades,
  preHandshake: PreHandshakeServer,
): (() => void) | undefined {
  const { config, lingerTimeout, options } = upgrades;
  const { readBuffer: buffer, admits, onError } = options;
  if (buffer === undefined || ("rawTcp" in config && config.rawTcp === false)) return undefined;
  const { tcpKeepAliveDelay: keepAliveMs } = config;
  const keepAliveSeconds = keepAliveMs === undefined ? undefined : Math.trunc(keepAliveMs / 1000);
  const { handshakes } = preHandshake;
  const welcome = (connection: PlainConnection): RawHandshake | undefined => {
    const { info } = connection;
    const isRefused = !upgrades.isProxy(info.remoteAddress) && admits?.(info) === false;
    return isRefused ? undefined : new RawHandshake(connection, upgrades, preHandshake, handshakes);
  };
  const opened = afterProxyHeader(config, welcome, onError, handshakes);
  // A connection counts when its request is accepted.
  const count = { connections: 0 };
  return acceptRaw(server, { transport: "ws", buffer, lingerTimeout, keepAliveSeconds, count }, opened);
}
