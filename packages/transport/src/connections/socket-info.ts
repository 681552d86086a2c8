// Addresses of a socket, as `ConnectionInfo`.
import type { Socket } from "node:net";
import type { ConnectionInfo, TransportName } from "../connection.ts";
import { plainAddress } from "../ip-address.ts";

/** Asks the system for the local address only when it is read. */
export class SocketInfo implements ConnectionInfo {
  readonly transport: TransportName;
  readonly remoteAddress: string;
  readonly remotePort: number | undefined;
  private readonly socket: Socket;

  /** @param source the client as a trusted proxy reported it */
  constructor(
    transport: TransportName,
    socket: Socket,
    source?: { readonly address: string; readonly port: number | undefined },
  ) {
    this.transport = transport;
    this.remoteAddress = plainAddress(source === undefined ? (socket.remoteAddress ?? "") : source.address);
    this.remotePort = source === undefined ? socket.remotePort : source.port;
    this.socket = socket;
  }

  get localAddress(): string | undefined {
    const address = this.socket.localAddress;
    return address === undefined ? undefined : plainAddress(address);
  }

  get localPort(): number | undefined {
    return this.socket.localPort;
  }
}

/** The client as a trusted proxy reported it; everything else as the connection itself reports it. */
export class ProxiedInfo implements ConnectionInfo {
  readonly transport: TransportName;
  readonly remoteAddress: string;
  readonly remotePort: number | undefined;
  private readonly direct: ConnectionInfo;

  constructor(direct: ConnectionInfo, source: { readonly address: string; readonly port: number | undefined }) {
    this.transport = direct.transport;
    this.remoteAddress = plainAddress(source.address);
    this.remotePort = source.port;
    this.direct = direct;
  }

  get localAddress(): string | undefined {
    return this.direct.localAddress;
  }

  get localPort(): number | undefined {
    return this.direct.localPort;
  }
}
