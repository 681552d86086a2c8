// Addresses of a socket, as `ConnectionInfo`.
import type { Socket } from "node:net";
import type { ConnectionInfo, TlsInfo, TransportName } from "./connection.ts";

/** IPv4 clients of a dual-stack listener look like `::ffff:192.0.2.1`; rules and logs want `192.0.2.1`. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** The local half is asked from the system only when wanted. */
export class SocketInfo implements ConnectionInfo {
  readonly transport: TransportName;
  readonly remoteAddress: string;
  readonly remotePort: number | undefined;
  private readonly socket: Socket;

  constructor(transport: TransportName, socket: Socket) {
    this.transport = transport;
    this.remoteAddress = plainAddress(socket.remoteAddress ?? "");
    this.remotePort = socket.remotePort;
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

export class TlsSocketInfo extends SocketInfo {
  readonly tls: TlsInfo;

  constructor(transport: TransportName, socket: Socket, tls: TlsInfo) {
    super(transport, socket);
    this.tls = tls;
  }
}
