// Decides about the requests of a WebSocket listener, and makes connections of those that are accepted, for one
// configuration. The two ways on which a request comes are ws-raw-handshake.ts and ws-socket-handshake.ts.
import type { IncomingHttpHeaders } from "node:http";
import type { Accept, ConnectionInfo, PlainConnection } from "../connection.ts";
import type { ConnectionCount } from "../connections/stream-connection.ts";
import {
  DEFAULT_LINGER_MS,
  type WebSocketConfig,
  type WsListenerConfig,
  type WssListenerConfig,
} from "../listener-config.ts";
import { TrustedAddresses } from "../proxy-protocol/trusted-addresses.ts";
import { WsConnection, type WsSite } from "../websocket/connection.ts";
import type { UpgradeRequest } from "../websocket/plain-request.ts";
import { checkUpgrade, forwardedFor, type Refusal } from "../websocket/upgrade.ts";
import { UpgradedInfo } from "../websocket/upgraded-info.ts";
import { askHandler } from "./admission.ts";
import type { ListenerContext } from "./listener.ts";

export type WsConfig = WsListenerConfig | WssListenerConfig;

const DEFAULT_HANDSHAKE_MS = 10_000;

/** `refusal` undefined: without an answer. */
type Verdict =
  | { readonly isAccepted: true; readonly info: ConnectionInfo }
  | { readonly isAccepted: false; readonly info: ConnectionInfo; readonly refusal: Refusal | undefined };

export class WsUpgrades {
  readonly config: WsConfig;
  readonly options: ListenerContext;
  /** Milliseconds for the request. */
  readonly timeout: number;
  readonly lingerTimeout: number;
  private readonly websocket: WebSocketConfig;
  /** Undefined: there are none. */
  private readonly proxies: TrustedAddresses | undefined;
  private readonly accept: Accept;
  private readonly site: WsSite;

  constructor(config: WsConfig, accept: Accept, options: ListenerContext, count: ConnectionCount) {
    const { websocket = {}, lingerTimeout = DEFAULT_LINGER_MS } = config;
    const { trustedProxies = [], maxPayload = Number.POSITIVE_INFINITY } = websocket;
    this.config = config;
    this.options = options;
    this.websocket = websocket;
    this.accept = accept;
    this.timeout = websocket.handshakeTimeout ?? DEFAULT_HANDSHAKE_MS;
    this.lingerTimeout = lingerTimeout;
    this.proxies =
      trustedProxies.length === 0 ? undefined : new TrustedAddresses(trustedProxies, "websocket.trustedProxies");
    this.site = { lingerTimeout, maxMessage: maxPayload, count };
  }

  isProxy(address: string): boolean {
    return this.proxies?.has(address) === true;
  }

  /**
   * @param direct what the connection below says of the client
   * @param text the request, where its headers can be read of it again
   */
  decide(direct: ConnectionInfo, request: UpgradeRequest, text?: string): Verdict {
    const { proxies } = this;
    const forwarded = proxies && forwardedAddress(direct.remoteAddress, request.headers, proxies);
    const info = new UpgradedInfo(direct, text ?? request.headers, forwarded);
    // A proxy was let in without asking.
    if (proxies?.has(direct.remoteAddress) === true && this.options.admits?.(info) === false) {
      return { isAccepted: false, info, refusal: undefined };
    }
    const refusal = checkUpgrade(request, this.websocket);
    return refusal === undefined ? { isAccepted: true, info } : { isAccepted: false, info, refusal };
  }

  /** Makes the connection, which becomes the handler of the one below and gets `bytes[start, end)` first. */
  open(below: PlainConnection, info: ConnectionInfo, bytes: Uint8Array, start: number, end: number): void {
    const connection = new WsConnection(below, info, this.site);
    const handler = askHandler(connection, this.accept, this.options.onError);
    if (handler === undefined) connection.destroy();
    else connection.attach(handler);
    below.handOver(connection, bytes, start, end);
  }
}

/** @returns undefined: it is the direct one */
function forwardedAddress(
  direct: string,
  { "x-forwarded-for": header }: IncomingHttpHeaders,
  proxies: TrustedAddresses,
): string | undefined {
  const address = forwardedFor(direct, Array.isArray(header) ? header.join() : header, proxies);
  return address === direct ? undefined : address;
}
