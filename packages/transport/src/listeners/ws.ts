// The WebSocket and secure WebSocket listeners. Entry point `@wrenmq/transport/ws`.
import { createServer, type Server as HttpServer, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Accept, ConnectionInfo, TlsInfo } from "../connection.ts";
import { SocketInfo } from "../connections/socket-info.ts";
import type { ConnectionCount } from "../connections/stream-connection.ts";
import { WsConnection } from "../connections/ws-connection.ts";
import {
  DEFAULT_LINGER_MS,
  type WebSocketConfig,
  type WsListenerConfig,
  type WssListenerConfig,
} from "../listener-config.ts";
import { TrustedAddresses } from "../proxy-protocol/trusted-addresses.ts";
import type { TlsIdentity } from "../tls/tls-certificates.ts";
import { tlsInfo } from "../tls/tls-info.ts";
import { askHandler } from "./admission.ts";
import { clientHasLeft } from "./handshake-error.ts";
import { HandshakeListener } from "./handshake-listener.ts";
import type { Listener, ListenerContext } from "./listener.ts";
import type { PreHandshakeServer, Stage } from "./pre-handshake-server.ts";
import { tlsServer } from "./tls-server.ts";
import { readPlainRequest, type UpgradeRequest } from "./ws-plain-request.ts";
import {
  acceptance,
  checkUpgrade,
  forwardedFor,
  type Refusal,
  type RequestError,
  requestRefusal,
  WEBSOCKET_VERSION,
} from "./ws-upgrade.ts";

type WsConfig = WsListenerConfig | WssListenerConfig;

const DEFAULT_HANDSHAKE_MS = 10_000;
/** ALPN name that browsers offer and that Node's own HTTPS servers select. */
const HTTP = ["http/1.1"];

/** Makes a listener; `listen()` opens it. */
export function createWebSocketListener(config: WsConfig, accept: Accept, options: ListenerContext = {}): Listener {
  return new WsListener(config, accept, options);
}

class WsInfo extends SocketInfo {
  readonly headers: NonNullable<ConnectionInfo["headers"]>;
  readonly tls?: TlsInfo;

  constructor(
    socket: Socket,
    request: UpgradeRequest,
    source: { address: string; port: number | undefined } | undefined,
  ) {
    super(socket instanceof TLSSocket ? "wss" : "ws", socket, source);
    this.headers = request.headers;
    if (socket instanceof TLSSocket) this.tls = tlsInfo(socket);
  }
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
    const upgrades = new Upgrades(config, preHandshake, this.accept, this.options, this);
    const { server: http, trusted } = upgrades;
    const begin = (socket: Socket): void => upgrades.begin(socket);
    const isProxy = (address: string): boolean => trusted.has(address);
    if (identity === undefined) return { config, begin, isProxy, close: () => void http.close() };
    const tls = tlsServer(identity, preHandshake, identity.config.alpn ?? HTTP, begin);
    const close = (): void => {
      tls.close();
      http.close();
    };
    return { config, begin: (socket) => void tls.emit("connection", socket), isProxy, close };
  }
}

/** Makes connections of HTTP requests, for one configuration. */
class Upgrades {
  readonly server: HttpServer;
  readonly trusted: TrustedAddresses;
  private readonly config: WsConfig;
  private readonly websocket: WebSocketConfig;
  private readonly preHandshake: PreHandshakeServer;
  private readonly accept: Accept;
  private readonly options: ListenerContext;
  private readonly count: ConnectionCount;
  /** Milliseconds for the request. */
  private readonly timeout: number;

  constructor(
    config: WsConfig,
    preHandshake: PreHandshakeServer,
    accept: Accept,
    options: ListenerContext,
    count: ConnectionCount,
  ) {
    this.config = config;
    this.websocket = config.websocket ?? {};
    this.preHandshake = preHandshake;
    this.accept = accept;
    this.options = options;
    this.count = count;
    this.trusted = new TrustedAddresses(this.websocket.trustedProxies ?? [], "websocket.trustedProxies");
    this.timeout = this.websocket.handshakeTimeout ?? DEFAULT_HANDSHAKE_MS;
    this.server = this.httpServer();
  }

  /** Waits for the request. One of the usual form is read here, every other one by the HTTP server. */
  begin(socket: Socket): void {
    const stop = (): void => {
      socket.off("data", read).off("end", ended).off("error", failed).off("timeout", late);
      socket.setTimeout(0);
    };
    const read = (bytes: Buffer): void => {
      stop();
      const plain = readPlainRequest(bytes);
      if (plain !== undefined) {
        this.upgrade(plain.request, socket, bytes.subarray(plain.end));
        return;
      }
      socket.pause();
      socket.unshift(bytes);
      this.server.emit("connection", socket);
      socket.resume();
    };
    const ended = (): void => {
      stop();
      socket.end();
    };
    const failed = (error: Error): void => {
      stop();
      this.failed(error, socket);
    };
    const late = (): void => failed(Object.assign(new Error("no request"), { code: "ERR_HTTP_REQUEST_TIMEOUT" }));
    socket.setTimeout(this.timeout);
    socket.on("data", read).on("end", ended).on("error", failed).on("timeout", late);
  }

  private httpServer(): HttpServer {
    const { timeout } = this;
    const server = createServer({
      headersTimeout: timeout,
      requestTimeout: timeout,
      keepAliveTimeout: 1,
      connectionsCheckingInterval: Math.min(timeout, 5000),
    });
    // Requests without an upgrade: nothing is served here.
    server.on("request", (_request, response) => {
      response.writeHead(426, { Connection: "close, Upgrade", Upgrade: "websocket" }).end();
    });
    server.on("upgrade", (request, _stream, head: Buffer) => this.upgrade(request, request.socket, head));
    server.on("clientError", (cause: RequestError, stream) => this.failed(cause, stream));
    // The server never listens; without this event it does not enforce its timeouts.
    server.emit("listening");
    return server;
  }

  private failed(cause: RequestError, stream: Duplex): void {
    const { preHandshake } = this;
    const socket = stream as Socket;
    const refusal = requestRefusal(cause);
    preHandshake.failed("WebSocket", preHandshake.clientOf(socket), clientHasLeft(cause) ? cause : refusal.reason);
    preHandshake.arrived(socket);
    refuse(stream, refusal);
  }

  private upgrade(request: UpgradeRequest, socket: Socket, head: Uint8Array): void {
    const { preHandshake } = this;
    const direct = new WsInfo(socket, request, preHandshake.arrived(socket));
    const info = this.behindProxies(direct, socket, request);
    if (this.trusted.has(direct.remoteAddress) && this.options.admits?.(info) === false) {
      socket.destroy();
      return;
    }
    const refusal = checkUpgrade(request, this.websocket);
    if (refusal !== undefined) {
      preHandshake.failed("WebSocket", info.remoteAddress, refusal.reason);
      refuse(socket, refusal);
      return;
    }
    socket.setTimeout(0);
    socket.setNoDelay();
    socket.write(acceptance(request));
    this.open(socket, info, head);
  }

  private behindProxies(direct: WsInfo, socket: Socket, request: UpgradeRequest): WsInfo {
    const header = request.headers["x-forwarded-for"];
    const address = forwardedFor(direct.remoteAddress, Array.isArray(header) ? header.join() : header, this.trusted);
    return address === direct.remoteAddress ? direct : new WsInfo(socket, request, { address, port: undefined });
  }

  private open(stream: Duplex, info: ConnectionInfo, head: Uint8Array): void {
    const connection = new WsConnection(stream, info, {
      lingerTimeout: this.config.lingerTimeout ?? DEFAULT_LINGER_MS,
      maxMessage: this.websocket.maxPayload ?? Number.POSITIVE_INFINITY,
      count: this.count,
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
