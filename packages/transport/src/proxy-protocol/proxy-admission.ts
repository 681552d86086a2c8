// Waits for the PROXY header in the two places where it can come: before the MQTT bytes of a plain socket, and before
// the TLS or HTTP handshake of a Node server.
import type { Socket } from "node:net";
import { nameOf, printableClient } from "../client-name.ts";
import type { ConnectionHandler, PlainConnection } from "../connection.ts";
import { ListenerError } from "../errors.ts";
import { plainAddress } from "../ip-address.ts";
import type { ListenerConfig, ProxyProtocolConfig } from "../listener-config.ts";
import { ProxyHeaderParser, type ProxySource } from "./proxy-protocol.ts";
import { TrustedAddresses } from "./trusted-addresses.ts";

const DEFAULT_TIMEOUT_MS = 5000;
type OnError = ((error: Error) => void) | undefined;

export function trustedProxies(config: ProxyProtocolConfig | undefined): TrustedAddresses | undefined {
  return config === undefined ? undefined : new TrustedAddresses(config.trusted, "proxyProtocol.trusted");
}

/** @throws ListenerError ERR_LISTENER_CONFIG for proxies that are not valid addresses */
export function checkProxies(config: ListenerConfig): void {
  trustedProxies(config.proxyProtocol);
  const networks = "websocket" in config ? config.websocket?.trustedProxies : undefined;
  if (networks !== undefined) new TrustedAddresses(networks, "websocket.trustedProxies");
}

function badHeader(peer: string, why: string): ListenerError {
  return new ListenerError("ERR_LISTENER_PROXY", `connection from ${peer} closed: ${why}`);
}

/**
 * First handler of a connection from a trusted proxy: reads the header, then hands over to the handler that `admit`
 * returns. Until then the connection is in `waiting`.
 */
export class ProxyHandshake implements ConnectionHandler {
  private readonly parser: ProxyHeaderParser = new ProxyHeaderParser();
  private readonly connection: PlainConnection;
  private readonly admit: (source: ProxySource | undefined) => ConnectionHandler | undefined;
  private readonly onError: OnError;
  private readonly waiting: Set<PlainConnection>;
  private readonly timer: NodeJS.Timeout;

  constructor(
    connection: PlainConnection,
    timeout: number | undefined,
    admit: (source: ProxySource | undefined) => ConnectionHandler | undefined,
    onError: OnError,
    waiting: Set<PlainConnection>,
  ) {
    this.connection = connection;
    this.admit = admit;
    this.onError = onError;
    this.waiting = waiting;
    waiting.add(connection);
    this.timer = setTimeout(() => this.refuse("no PROXY header in time"), timeout ?? DEFAULT_TIMEOUT_MS);
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    const step = this.parser.push(bytes, start, end);
    if (step.state === "more") return;
    this.stop();
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
    this.stop();
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.waiting.delete(this.connection);
  }

  private refuse(why: string): void {
    this.onError?.(badHeader(printableClient(this.connection.info), why));
    this.connection.destroy();
  }
}

/** Reads the header and unshifts the bytes that follow it. */
export function readHeader(
  socket: Socket,
  timeout: number | undefined,
  onError: OnError,
  done: (source: ProxySource | undefined) => void,
): void {
  const parser = new ProxyHeaderParser();
  const peer = nameOf(plainAddress(socket.remoteAddress ?? ""));
  const refuse = (why: string): void => {
    onError?.(badHeader(peer, why));
    socket.destroy();
  };
  const timer = setTimeout(() => refuse("no PROXY header in time"), timeout ?? DEFAULT_TIMEOUT_MS);
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
