// Who a connection is with, for a line in a log: never an empty address.
import type { ConnectionInfo } from "./connection.ts";

/** The system does not tell the address of a connection that is gone. */
export function nameOf(client: string): string {
  return client === "" ? "a client that has left" : client;
}

export function printableClient({ transport, remoteAddress }: ConnectionInfo): string {
  if (remoteAddress !== "") return remoteAddress;
  const hasAddresses = transport === "tcp" || transport === "tls" || transport === "ws" || transport === "wss";
  return hasAddresses ? nameOf("") : `a client without an address (${transport})`;
}
