// The wait for a PROXY header, in the two places where it can stand: before the MQTT bytes of a plain socket,
// and before the TLS or HTTP handshake of a Node server.
import { createServer, type Server, type Socket } from "node:net";
import { acceptOptions } from "./bind.ts";
import type { ConnectionHandler, PlainConnection } from "./connection.ts";
import { ListenerError } from "./errors.ts";
import type { IpListenerConfig, ProxyProtocolConfig } from "./listener-config.ts";
import { ProxyHeaderParser, type ProxySource } from "./proxy-protocol.ts";
import { plainAddress } from "./socket-info.ts";
import { TrustedAddresses } from "./trusted-addresses.ts";

const DEFAULT_TIMEOUT_MS = 5000;
type OnError = ((error: Error) => void) | undefined;

export function trustedProxies(config: ProxyProtocolConfig | undefined): TrustedAddresses | undefined {
  return config === undefined ? undefined : new TrustedAddresses(config.trusted, "proxyProtocol.trusted");
}

function badHeader(peer: string, why: string): ListenerError {
  return new ListenerError("ERR_LISTENER_PROXY", `connection from ${peer} closed: ${why}`);
}

/** First handler of a connection from a trusted proxy; hands over to the one that `admit` finds. */
export class ProxyHandshake implements ConnectionHandler {
  private readonly parser: ProxyHeaderParser = new ProxyHeaderParser();
  private readonly connection: PlainConnection;
  private readonly admit: (source: ProxySource | undefined) => ConnectionHandler | undefined;
  private readonly onError: OnError;
  private readonly timer: NodeJS.Timeout;

  constructor(
    connection: PlainConnection,
    timeoutMs: number | undefined,
    admit: (source: ProxySource | undefined) => ConnectionHandler | undefined,
    onError: OnError,
  ) {
    this.connection = connection;
    this.admit = admit;
    this.onError = onError;
    this.timer = setTimeout(() => this.refuse("no PROXY header in time"), timeoutMs ?? DEFAULT_TIMEOUT_MS);
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    const step = this.parser.push(bytes, start, end);
    if (step.state === "more") return;
    clearTimeout(this.timer);
    if (step.state === "bad") {
      this.refuse(step.why);
      return;
    }
    const handler = this.admit(step.source);
    if (handler === undefined) this.connection.destroy();
    else this.connection.handOver(handler, bytes, start + step.used, end);
  }

  drain(): void {}

  closed(): void {
    clearTimeout(this.timer);
  }

  private refuse(why: string): void {
    this.onError?.(badHeader(this.connection.info.remoteAddress, why));
    this.connection.destroy();
  }
}

/** Finds a proxied socket again inside the TLS socket around it, which shares nothing public with it but its addresses. */
function addressKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}

/** Stands in front of a TLS or HTTP server. */
export interface Front {
  /** The server to listen with. */
  readonly server: Server;
  /** What the proxy said about this socket, if there was one. */
  sourceOf(socket: Socket): ProxySource | undefined;
}

export function front(inner: Server, config: IpListenerConfig, onError: OnError): Front {
  const trusted = trustedProxies(config.proxyProtocol);
  if (trusted === undefined) return { server: inner, sourceOf: () => undefined };
  const sources = new Map<string, ProxySource>();
  const server = createServer({ ...acceptOptions(config), allowHalfOpen: true }, (socket) => {
    if (!trusted.has(plainAddress(socket.remoteAddress ?? ""))) {
      inner.emit("connection", socket);
      return;
    }
    readHeader(socket, config.proxyProtocol?.timeoutMs, onError, (source) => {
      if (source !== undefined) {
        const key = addressKey(socket);
        sources.set(key, source);
        socket.once("close", () => sources.delete(key));
      }
      inner.emit("connection", socket);
    });
  });
  return { server, sourceOf: (socket) => sources.get(addressKey(socket)) };
}

/** Reads the header and puts back what follows it. */
function readHeader(
  socket: Socket,
  timeoutMs: number | undefined,
  onError: OnError,
  done: (source: ProxySource | undefined) => void,
): void {
  const parser = new ProxyHeaderParser();
  const peer = plainAddress(socket.remoteAddress ?? "");
  const refuse = (why: string): void => {
    onError?.(badHeader(peer, why));
    socket.destroy();
  };
  const timer = setTimeout(() => refuse("no PROXY header in time"), timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("readable", readable);
    socket.off("error", failed);
    socket.off("end", ended);
    socket.off("close", stop);
  };
  const failed = (): void => {
    socket.destroy();
  };
  const ended = (): void => {
    socket.destroy();
  };
  const readable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    const step = parser.push(chunk, 0, chunk.length);
    if (step.state === "more") return;
    stop();
    if (step.state === "bad") {
      refuse(step.why);
      return;
    }
    if (step.used < chunk.length) socket.unshift(chunk.subarray(step.used));
    done(step.source);
  };
  socket.on("readable", readable);
  socket.on("error", failed);
  socket.on("end", ended);
  socket.on("close", stop);
}
