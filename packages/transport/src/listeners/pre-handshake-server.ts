// What stands in front of a TLS or HTTP server: plain ones that accept in its place, read PROXY headers, turn away who may
// not come before a handshake costs anything, and know the sockets that are not connections yet. The server behind can
// be exchanged while these go on listening: handshakes that are under way end with the one that began them.
import { createServer, type Server, type Socket } from "node:net";
import { plainAddress } from "../ip-address.ts";
import type { TlsListenerConfig, WsListenerConfig, WssListenerConfig } from "../listener-config.ts";
import { readHeader, trustedProxies } from "../proxy-protocol/proxy-admission.ts";
import type { ProxySource } from "../proxy-protocol/proxy-protocol.ts";
import type { TrustedAddresses } from "../proxy-protocol/trusted-addresses.ts";
import { certificateError } from "../tls/client-certificate.ts";
import { listenOn, portOf, unbind } from "./bind.ts";
import { handshakeError } from "./handshake-error.ts";
import type { ListenerContext } from "./listener.ts";

type FrontConfig = TlsListenerConfig | WsListenerConfig | WssListenerConfig;

/** What does the handshakes, and how its sockets are. */
export interface Stage {
  readonly config: FrontConfig;
  /** Gets the sockets; it never listens itself. */
  readonly server: Server;
  /** Are the clients behind this address asked for, and known, only when the server has their request? */
  isProxy(address: string): boolean;
  /** The last of its handshakes is over. */
  close(): void;
}

interface Waiting {
  readonly socket: Socket;
  /** The client as a trusted proxy reported it. */
  readonly source: ProxySource | undefined;
  readonly stage: Stage;
}

/** Finds a socket again inside the TLS socket around it, which shares nothing public with it but its addresses. */
function addressKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}

export class PreHandshakeServer {
  private readonly options: ListenerContext;
  private servers: Server[] = [];
  private stage: Stage | undefined;
  private trusted: TrustedAddresses | undefined;
  /** Sockets of proxies that owe a header. */
  private readonly reading = new Set<Socket>();
  private readonly waiting = new Map<string, Waiting>();
  /** Whose sockets these are; a socket that is closed does not know it any more. */
  private readonly clients = new WeakMap<Socket, string>();
  private isOpen = true;

  constructor(options: ListenerContext) {
    this.options = options;
  }

  get port(): number | undefined {
    return portOf(this.servers[0]);
  }

  /** Rejects with a ListenerError. */
  async listen(config: FrontConfig, address: string): Promise<void> {
    // In the middle of a TLS handshake who sends no more has gone; HTTP servers are used to clients that have not.
    const allowHalfOpen = config.type === "ws";
    const make = (): Server => createServer({ allowHalfOpen, noDelay: true }, (socket) => this.accepted(socket));
    this.servers = await listenOn(make, config, address);
    for (const server of this.servers) server.on("error", (error) => this.options.onError?.(error));
  }

  /** Sockets that are accepted from now on go there. */
  use(stage: Stage): void {
    const before = this.stage;
    this.stage = stage;
    this.trusted = trustedProxies(stage.config.proxyProtocol);
    if (before !== undefined) this.closeIfDone(before);
  }

  /** The handshake is done, the socket is a connection. @returns what a trusted proxy said about it */
  arrived(socket: Socket): ProxySource | undefined {
    const key = addressKey(socket);
    const source = this.waiting.get(key)?.source;
    this.forget(key);
    return source;
  }

  /** Tells of a handshake that came to nothing, unless the closing of the listener was its end. */
  failed(...of: Parameters<typeof handshakeError>): void {
    if (this.isOpen) this.options.onError?.(handshakeError(...of));
  }

  /** The TLS handshake of a socket is done; others may follow inside. */
  secured(socket: Socket): void {
    const client = this.waiting.get(addressKey(socket))?.source?.address ?? plainAddress(socket.remoteAddress ?? "");
    this.clients.set(socket, client);
  }

  /** Ends a connection because of the certificate that it showed, or did not show. */
  refuse(socket: Socket, refusal: string): void {
    this.arrived(socket);
    socket.on("error", () => {});
    socket.destroy();
    if (this.isOpen) this.options.onError?.(certificateError(this.clientOf(socket), refusal));
  }

  /** The client behind a socket that was handed on or has its TLS, also when it is closed; "" if that is not known. */
  clientOf(socket: Socket | undefined): string {
    return (socket && this.clients.get(socket)) ?? "";
  }

  /** Stops accepting, and ends the handshakes that are under way: nobody else knows of them. */
  async close(): Promise<void> {
    this.isOpen = false;
    for (const socket of this.reading) socket.destroy();
    for (const { socket } of this.waiting.values()) socket.destroy();
    await Promise.all(this.servers.map(unbind));
    this.stage?.close();
  }

  private accepted(socket: Socket): void {
    const { stage, trusted } = this;
    if (stage === undefined) {
      socket.destroy();
      return;
    }
    const { tcpKeepAliveMs, proxyProtocol } = stage.config;
    if (tcpKeepAliveMs !== undefined) socket.setKeepAlive(true, tcpKeepAliveMs);
    if (trusted?.has(plainAddress(socket.remoteAddress ?? "")) !== true) {
      this.letIn(socket, undefined, stage);
      return;
    }
    this.reading.add(socket);
    socket.once("close", () => this.reading.delete(socket));
    readHeader(socket, proxyProtocol?.timeoutMs, this.options.onError, (source) => this.letIn(socket, source, stage));
  }

  private letIn(socket: Socket, source: ProxySource | undefined, stage: Stage): void {
    this.reading.delete(socket);
    const peer = socket.remoteAddress;
    const remoteAddress = source?.address ?? plainAddress(peer ?? "");
    const isRefused = !stage.isProxy(remoteAddress) && this.options.admits?.({ remoteAddress }) === false;
    // Without an address it has gone already.
    if (peer === undefined || isRefused) {
      socket.destroy();
      return;
    }
    const key = addressKey(socket);
    this.clients.set(socket, remoteAddress);
    this.waiting.set(key, { socket, source, stage });
    socket.once("close", () => {
      if (this.waiting.get(key)?.socket === socket) this.forget(key);
    });
    stage.server.emit("connection", socket);
  }

  private forget(key: string): void {
    const stage = this.waiting.get(key)?.stage;
    this.waiting.delete(key);
    if (stage !== undefined && stage !== this.stage) this.closeIfDone(stage);
  }

  private closeIfDone(stage: Stage): void {
    for (const waiting of this.waiting.values()) if (waiting.stage === stage) return;
    stage.close();
  }
}
