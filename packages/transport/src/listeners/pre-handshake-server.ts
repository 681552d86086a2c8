// Accepts connections for a TLS or HTTP server: reads PROXY headers, refuses clients before a handshake costs anything,
// and owns the sockets whose handshake is not done. The TLS or HTTP server can be replaced while this one listens; the
// replaced one finishes the handshakes that it has begun.
import { createServer, type Server, type Socket } from "node:net";
import type { PlainConnection } from "../connection.ts";
import { handshakeError } from "../handshake-error.ts";
import { plainAddress } from "../ip-address.ts";
import type { TlsListenerConfig, WsListenerConfig, WssListenerConfig } from "../listener-config.ts";
import { readHeader, trustedProxies } from "../proxy-protocol/proxy-admission.ts";
import type { ProxySource } from "../proxy-protocol/proxy-protocol.ts";
import type { TrustedAddresses } from "../proxy-protocol/trusted-addresses.ts";
import { certificateError } from "../tls/client-certificate.ts";
import { listenOn, portOf, unbind } from "./bind.ts";
import type { ListenerContext } from "./listener.ts";

type HandshakeListenerConfig = TlsListenerConfig | WsListenerConfig | WssListenerConfig;

/** What does the handshakes. */
export interface Stage {
  readonly config: HandshakeListenerConfig;
  /** Gets each socket that is let in. */
  begin(socket: Socket): void;
  /**
   * Called for each server that listens: where possible, clients are then accepted without sockets.
   * @returns a function that undoes this
   */
  listening?(server: Server): (() => void) | undefined;
  /** Does this address belong to a proxy whose clients are known, and checked, only after the HTTP request? */
  isProxy(address: string): boolean;
  /** Its last handshake is done. */
  close(): void;
}

interface Waiting {
  readonly socket: Socket;
  /** The client as a trusted proxy reported it. */
  readonly source: ProxySource | undefined;
  readonly stage: Stage;
}

/** A key by which the socket inside a TLS socket is found: the two share nothing public but the addresses. */
function addressKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}

export class PreHandshakeServer {
  private readonly options: ListenerContext;
  private servers: Server[] = [];
  private stage: Stage | undefined;
  private trusted: TrustedAddresses | undefined;
  /** Sockets of proxies whose header has not arrived. */
  private readonly reading = new Set<Socket>();
  private readonly waiting = new Map<string, Waiting>();
  /** Address of each socket's client: a closed socket does not have it any more. */
  private readonly clients = new WeakMap<Socket, string>();
  /** Clients without sockets whose handshake is not done. */
  readonly handshakes: Set<PlainConnection> = new Set();
  private release: (() => void)[] = [];
  private isOpen = true;

  constructor(options: ListenerContext) {
    this.options = options;
  }

  get port(): number | undefined {
    return portOf(this.servers[0]);
  }

  /** Rejects with a ListenerError. */
  async listen(config: HandshakeListenerConfig, address: string): Promise<void> {
    // A client that half-closes in the middle of a TLS handshake is gone; HTTP clients may half-close and read on.
    const allowHalfOpen = config.type === "ws";
    const make = (): Server => createServer({ allowHalfOpen, noDelay: true }, (socket) => this.accepted(socket));
    this.servers = await listenOn(make, config, address);
    for (const server of this.servers) server.on("error", (error) => this.options.onError?.(error));
    if (this.stage !== undefined) this.use(this.stage);
  }

  /** Passes the sockets that are accepted from now on to this server. */
  use(stage: Stage): void {
    const before = this.stage;
    this.stage = stage;
    this.trusted = trustedProxies(stage.config.proxyProtocol);
    for (const release of this.release) release();
    this.release = this.servers.flatMap((server) => stage.listening?.(server) ?? []);
    if (before !== undefined && before !== stage) this.closeIfDone(before);
  }

  /**
   * The handshake is done, the socket is a connection.
   * @returns the client as a trusted proxy reported it
   */
  arrived(socket: Socket): ProxySource | undefined {
    const key = addressKey(socket);
    const source = this.waiting.get(key)?.source;
    this.forget(key);
    return source;
  }

  /** Reports a failed handshake, unless the listener was being closed. */
  failed(...of: Parameters<typeof handshakeError>): void {
    if (this.isOpen) this.options.onError?.(handshakeError(...of));
  }

  /** The TLS handshake of a socket is done; an HTTP request may follow. */
  secured(socket: Socket): void {
    const client = this.waiting.get(addressKey(socket))?.source?.address ?? plainAddress(socket.remoteAddress ?? "");
    this.clients.set(socket, client);
  }

  /** Ends a connection because of its client certificate, or because it has none. */
  refuse(socket: Socket, refusal: string): void {
    this.arrived(socket);
    socket.on("error", () => {});
    socket.destroy();
    this.refused(this.clientOf(socket), refusal);
  }

  /** Reports a client that is refused because of its certificate. */
  refused(client: string, refusal: string): void {
    if (this.isOpen) this.options.onError?.(certificateError(client, refusal));
  }

  /** The address of the client of a socket in its handshake, also when it is closed; "" if it is unknown. */
  clientOf(socket: Socket | undefined): string {
    return (socket && this.clients.get(socket)) ?? "";
  }

  /** Stops accepting, and ends the unfinished handshakes: no other part of the broker has a reference to them. */
  async close(): Promise<void> {
    this.isOpen = false;
    this.release = [];
    for (const connection of this.handshakes) connection.destroy();
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
    const { tcpKeepAliveDelay, proxyProtocol } = stage.config;
    if (tcpKeepAliveDelay !== undefined) socket.setKeepAlive(true, tcpKeepAliveDelay);
    if (trusted?.has(plainAddress(socket.remoteAddress ?? "")) !== true) {
      this.letIn(socket, undefined, stage);
      return;
    }
    this.reading.add(socket);
    socket.once("close", () => this.reading.delete(socket));
    readHeader(socket, proxyProtocol?.timeout, this.options.onError, (source) => this.letIn(socket, source, stage));
  }

  private letIn(socket: Socket, source: ProxySource | undefined, stage: Stage): void {
    this.reading.delete(socket);
    const peer = socket.remoteAddress;
    const remoteAddress = source?.address ?? plainAddress(peer ?? "");
    const isRefused = !stage.isProxy(remoteAddress) && this.options.admits?.({ remoteAddress }) === false;
    // Without an address it is closed already.
    if (peer === undefined || isRefused) {
      socket.destroy();
      return;
    }
    this.wait(socket, source, remoteAddress, stage);
  }

  /** Begins the handshake of a client that was accepted without a socket, and admitted. */
  admitted(socket: Socket, source: ProxySource | undefined): void {
    const { stage } = this;
    const remoteAddress = source?.address ?? plainAddress(socket.remoteAddress ?? "");
    if (!this.isOpen || stage === undefined) {
      socket.destroy();
      return;
    }
    this.wait(socket, source, remoteAddress, stage);
    socket.resume();
  }

  private wait(socket: Socket, source: ProxySource | undefined, remoteAddress: string, stage: Stage): void {
    const key = addressKey(socket);
    this.clients.set(socket, remoteAddress);
    this.waiting.set(key, { socket, source, stage });
    socket.once("close", () => {
      if (this.waiting.get(key)?.socket === socket) this.forget(key);
    });
    stage.begin(socket);
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
