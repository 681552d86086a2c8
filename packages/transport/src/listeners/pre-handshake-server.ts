// What stands in front of a TLS or HTTP server: a plain one that accepts in its place, reads PROXY headers, turns away
// who may not come before a handshake costs anything, and knows the sockets that are not connections yet.
import { createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { plainAddress } from "../ip-address.ts";
import type { TlsListenerConfig, WsListenerConfig, WssListenerConfig } from "../listener-config.ts";
import { readHeader, trustedProxies } from "../proxy-protocol/proxy-admission.ts";
import type { ProxySource } from "../proxy-protocol/proxy-protocol.ts";
import { acceptOptions, unbind } from "./bind.ts";
import { handshakeError } from "./handshake-error.ts";
import type { ListenerContext } from "./listener.ts";

interface Waiting {
  readonly socket: Socket;
  /** The client as a trusted proxy reported it. */
  readonly source: ProxySource | undefined;
}

/** Finds a socket again inside the TLS socket around it, which shares nothing public with it but its addresses. */
function addressKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}

export class PreHandshakeServer {
  /** The server to listen with. */
  readonly server: Server;
  private readonly inner: Server;
  private readonly options: ListenerContext;
  private readonly isProxy: (address: string) => boolean;
  /** Sockets of proxies that owe a header. */
  private readonly reading = new Set<Socket>();
  private readonly waiting = new Map<string, Waiting>();
  /** Whose sockets these are; a socket that is closed does not know it any more. */
  private readonly clients = new WeakMap<Socket, string>();
  private isOpen = true;

  /** @param isProxy are the clients behind this address asked for, and known, only when `inner` has their request? */
  constructor(
    inner: Server,
    config: TlsListenerConfig | WsListenerConfig | WssListenerConfig,
    options: ListenerContext,
    isProxy: (address: string) => boolean = () => false,
  ) {
    this.inner = inner;
    this.options = options;
    this.isProxy = isProxy;
    const trusted = trustedProxies(config.proxyProtocol);
    // In the middle of a TLS handshake who sends no more has gone; HTTP servers are used to clients that have not.
    const allowHalfOpen = config.type === "ws";
    this.server = createServer({ ...acceptOptions(config), allowHalfOpen }, (socket) => {
      if (trusted?.has(plainAddress(socket.remoteAddress ?? "")) !== true) {
        this.letIn(socket, undefined);
        return;
      }
      this.reading.add(socket);
      socket.once("close", () => this.reading.delete(socket));
      readHeader(socket, config.proxyProtocol?.timeoutMs, options.onError, (source) => this.letIn(socket, source));
    });
    // From then on an HTTP server enforces its timeouts.
    this.server.on("listening", () => inner.emit("listening"));
    // Of an HTTPS server: it would report each as an HTTP client's mistake, too.
    inner.removeAllListeners("tlsClientError");
    inner.on("tlsClientError", (cause: Error, socket: TLSSocket & { readonly _parent?: Socket | null }) => {
      socket.destroy();
      // Not public: where it is missing the line says less.
      const accepted = socket._parent ?? undefined;
      this.failed("TLS", (accepted && this.clients.get(accepted)) ?? "", cause);
    });
  }

  /** The handshake is done, the socket is a connection. @returns what a trusted proxy said about it */
  arrived(socket: Socket): ProxySource | undefined {
    const key = addressKey(socket);
    const source = this.waiting.get(key)?.source;
    this.waiting.delete(key);
    return source;
  }

  /** Tells of a handshake that came to nothing, unless the closing of the listener was its end. */
  failed(...of: Parameters<typeof handshakeError>): void {
    if (this.isOpen) this.options.onError?.(handshakeError(...of));
  }

  /** Stops accepting, and ends the handshakes that are under way: nobody else knows of them. */
  async close(): Promise<void> {
    this.isOpen = false;
    for (const socket of this.reading) socket.destroy();
    for (const { socket } of this.waiting.values()) socket.destroy();
    await unbind(this.server);
    this.inner.close();
  }

  private letIn(socket: Socket, source: ProxySource | undefined): void {
    this.reading.delete(socket);
    const peer = socket.remoteAddress;
    const remoteAddress = source?.address ?? plainAddress(peer ?? "");
    const isRefused = !this.isProxy(remoteAddress) && this.options.admits?.({ remoteAddress }) === false;
    // Without an address it has gone already.
    if (peer === undefined || isRefused) {
      socket.destroy();
      return;
    }
    const key = addressKey(socket);
    this.clients.set(socket, remoteAddress);
    this.waiting.set(key, { socket, source });
    socket.once("close", () => {
      if (this.waiting.get(key)?.socket === socket) this.waiting.delete(key);
    });
    this.inner.emit("connection", socket);
  }
}
