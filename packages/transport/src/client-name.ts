// The name of a connection's client in log lines: its address, or a text that says that the address is unknown.
import type { ConnectionInfo } from "./connection.ts";

/** The system does not report the address of a socket that is already closed. */
export function nameOf(client: string): string {
  return client === "" ? "a client that has left" : client;
}

export function printableClient({ transport, remoteAddress }: ConnectionInfo): string {
  if (remoteAddress !== "") return remoteAddress;
  const hasAddresses = transport === "tcp" || transport === "tls" || transport === "ws" || transport === "wss";
  return hasAddresses ? nameOf("") : `a client without an address (${transport})`;
}
