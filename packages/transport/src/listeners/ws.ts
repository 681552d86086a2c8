// WebSocket and secure WebSocket listeners.
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  STATUS_CODES,
} from "node:http";
import { createServer as createHttpsServer, Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Accept, ConnectionInfo, TlsInfo } from "../connection.ts";
import { SocketInfo } from "../connections/socket-info.ts";
import { WsConnection } from "../connections/ws-connection.ts";
import { plainAddress } from "../ip-address.ts";
import {
  DEFAULT_LINGER_MS,
  type WebSocketConfig,
  type WsListenerConfig,
  type WssListenerConfig,
} from "../listener-config.ts";
import { TrustedAddresses } from "../proxy-protocol/trusted-addresses.ts";
import { TlsCertificates } from "../tls/tls-certificates.ts";
import { tlsInfo } from "../tls/tls-info.ts";
import { askHandler } from "./admission.ts";
import { acceptOptions, bind, ipListenOptions, portOf, printableAddress } from "./bind.ts";
import type { Listener, ListenerContext } from "./listener.ts";
import { PreHandshakeServer } from "./pre-handshake-server.ts";
import {
  acceptance,
  checkUpgrade,
  forwardedFor,
  type Refusal,
  type RequestError,
  requestRefusal,
  WEBSOCKET_VERSION,
} from "./ws-upgrade.ts";

const DEFAULT_HANDSHAKE_MS = 10_000;

/** Does not listen yet. */
export function createWebSocketListener(
  config: WsListenerConfig | WssListenerConfig,
  accept: Accept,
  options: ListenerContext = {},
): Listener {
  return new WsListener(config, accept, options);
}

class WsInfo extends SocketInfo {
  readonly headers: NonNullable<ConnectionInfo["headers"]>;
  readonly tls?: TlsInfo;

  constructor(
    socket: Socket,
    request: IncomingMessage,
    source: { address: string; port: number | undefined } | undefined,
  ) {
    super(socket instanceof TLSSocket ? "wss" : "ws", socket, source);
    this.headers = request.headers;
    if (socket instanceof TLSSocket) this.tls = tlsInfo(socket);
  }
}

class WsListener implements Listener {
  connections = 0;
  port: number | undefined;
  private readonly config: WsListenerConfig | WssListenerConfig;
  private readonly websocket: WebSocketConfig;
  private readonly accept: Accept;
  private readonly options: ListenerContext;
  private readonly trusted: TrustedAddresses;
  private gate: PreHandshakeServer | undefined;
  private certificates: TlsCertificates | undefined;

  constructor(config: WsListenerConfig | WssListenerConfig, accept: Accept, options: ListenerContext) {
    this.config = config;
    this.websocket = config.websocket ?? {};
    this.accept = accept;
    this.options = options;
    this.port = config.port;
    this.trusted = new TrustedAddresses(this.websocket.trustedProxies ?? [], "websocket.trustedProxies");
  }

  get address(): string {
    const { type, host, port, websocket } = this.config;
    const path = [websocket?.path ?? ""].flat()[0] ?? "";
    return printableAddress(type, host, this.port ?? port) + path;
  }

  async listen(): Promise<void> {
    const { config, options } = this;
    const certificates = config.type === "wss" ? await TlsCertificates.load(config.tls, options.onError) : undefined;
    const inner = this.httpServer(certificates);
    const gate = new PreHandshakeServer(inner, config, options, (address) => this.trusted.has(address));
    inner.on("upgrade", (request, stream: Duplex, head: Buffer) => this.upgrade(request, stream, head, gate));
    inner.on("clientError", (cause: RequestError, stream) => {
      const socket = stream as Socket;
      const client = gate.arrived(socket)?.address ?? plainAddress(socket.remoteAddress ?? "");
      const refusal = requestRefusal(cause);
      gate.failed("WebSocket", client, refusal.reason);
      refuse(stream, refusal);
    });
    await bind(gate.server, ipListenOptions(config), this.address);
    gate.server.on("error", (error) => options.onError?.(error));
    this.gate = gate;
    this.port = portOf(gate.server);
    this.certificates = certificates;
    if (inner instanceof HttpsServer) await certificates?.watch(inner);
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

  private httpServer(certificates: TlsCertificates | undefined): HttpServer {
    const timeout = this.websocket.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_MS;
    const http = {
      ...acceptOptions(this.config),
      headersTimeout: timeout,
      requestTimeout: timeout,
      keepAliveTimeout: 1,
      connectionsCheckingInterval: Math.min(timeout, 5000),
    };
    if (certificates === undefined) return this.answering(createHttpServer(http));
    return this.answering(createHttpsServer({ ...http, ...certificates.serverOptions() }));
  }

  /** Requests that are no upgrade: there are no pages here. */
  private answering<S extends HttpServer>(server: S): S {
    server.on("request", (_request, response) => {
      response.writeHead(426, { Connection: "close, Upgrade", Upgrade: "websocket" }).end();
    });
    return server;
  }

  private upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, gate: PreHandshakeServer): void {
    const { socket } = request;
    const direct = new WsInfo(socket, request, gate.arrived(socket));
    const info = this.behindProxies(direct, socket, request);
    if (this.trusted.has(direct.remoteAddress) && this.options.admits?.(info) === false) {
      stream.destroy();
      return;
    }
    const refusal = checkUpgrade(request, this.websocket);
    if (refusal !== undefined) {
      gate.failed("WebSocket", info.remoteAddress, refusal.reason);
      refuse(stream, refusal);
      return;
    }
    socket.setTimeout(0);
    socket.setNoDelay();
    stream.write(acceptance(request));
    this.open(stream, info, head);
  }

  private behindProxies(direct: WsInfo, socket: Socket, request: IncomingMessage): WsInfo {
    const header = request.headers["x-forwarded-for"];
    const address = forwardedFor(direct.remoteAddress, Array.isArray(header) ? header.join() : header, this.trusted);
    return address === direct.remoteAddress ? direct : new WsInfo(socket, request, { address, port: undefined });
  }

  private open(stream: Duplex, info: ConnectionInfo, head: Uint8Array): void {
    const connection = new WsConnection(stream, info, {
      lingerMs: this.config.lingerMs ?? DEFAULT_LINGER_MS,
      maxMessage: this.websocket.maxPayload ?? Number.POSITIVE_INFINITY,
      count: this,
    });
    const handler = askHandler(connection, this.accept, this.options.onError);
    if (handler === undefined) connection.destroy();
    else connection.attach(handler, head);
  }
}

function refuse(stream: Duplex, { status, reason }: Refusal): void {
  stream.on("error", () => stream.destroy());
  const version = status === 426 ? `Sec-WebSocket-Version: ${WEBSOCKET_VERSION}\r\n` : "";
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${version}Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`,
    () => stream.destroy(),
  );
}
