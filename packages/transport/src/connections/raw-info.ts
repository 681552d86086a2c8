// Addresses of a connection without a socket, as `ConnectionInfo`.
import type { ConnectionInfo, TransportName } from "../connection.ts";
import { plainAddress } from "../ip-address.ts";
import type { Endpoint, Handle } from "./raw-handle.ts";

type Named = Pick<Handle, "getpeername" | "getsockname">;

/**
 * Reused for all results of getpeername and getsockname: filling an object that has the properties is cheaper than
 * adding them.
 */
const endpoint: Endpoint = { address: "", port: 0, family: "" };

/** Asks the system for an address when it is first read. A connection that was closed before that has none. */
export class RawInfo implements ConnectionInfo {
  readonly transport: TransportName;
  private readonly handle: Named;
  private address: string | undefined;
  private port: number | undefined;

  constructor(transport: TransportName, handle: Named) {
    this.transport = transport;
    this.handle = handle;
  }

  get remoteAddress(): string {
    if (this.address === undefined) {
      const known = this.handle.getpeername?.(endpoint) === 0;
      this.address = known ? plainAddress(endpoint.address) : "";
      this.port = known ? endpoint.port : undefined;
    }
    return this.address;
  }

  get remotePort(): number | undefined {
    return this.remoteAddress === "" ? undefined : this.port;
  }

  get localAddress(): string | undefined {
    return this.handle.getsockname?.(endpoint) === 0 ? plainAddress(endpoint.address) : undefined;
  }

  get localPort(): number | undefined {
    return this.handle.getsockname?.(endpoint) === 0 ? endpoint.port : undefined;
  }
}
