// What is known of a WebSocket's client: the facts of the connection below, and the request.
import type { IncomingHttpHeaders } from "node:http";
import type { ConnectionInfo, TlsInfo, TransportName } from "../connection.ts";
import { headersOf } from "./plain-request.ts";

export class UpgradedInfo implements ConnectionInfo {
  readonly tls?: TlsInfo;
  private readonly below: ConnectionInfo;
  /** A text is a plain request. An idle connection keeps half of the memory of its headers with it. */
  private readonly request: IncomingHttpHeaders | string;
  /** Of the client behind a proxy, as the request says. */
  private readonly forwarded: string | undefined;

  constructor(below: ConnectionInfo, request: IncomingHttpHeaders | string, forwarded: string | undefined) {
    this.below = below;
    this.request = request;
    this.forwarded = forwarded;
    if (below.tls !== undefined) this.tls = below.tls;
  }

  get transport(): TransportName {
    return this.below.transport;
  }

  get remoteAddress(): string {
    return this.forwarded ?? this.below.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.forwarded === undefined ? this.below.remotePort : undefined;
  }

  get localAddress(): string | undefined {
    return this.below.localAddress;
  }

  get localPort(): number | undefined {
    return this.below.localPort;
  }

  get headers(): NonNullable<ConnectionInfo["headers"]> {
    return typeof this.request === "string" ? (headersOf(this.request) ?? {}) : this.request;
  }
}
