import type { ClientInfo } from "../client-info.ts";

/** A client with the values of `given` and defaults for the rest. */
export function testClient(given: Partial<ClientInfo> = {}): ClientInfo {
  return {
    clientId: "client",
    username: undefined,
    protocolVersion: 5,
    bridge: false,
    cleanStart: true,
    keepAlive: 60,
    listener: "default",
    remoteAddress: "192.0.2.1",
    remotePort: 50_000,
    secure: false,
    certificate: undefined,
    userProperties: [],
    connectedAt: 0,
    attributes: {},
    ...given,
  };
}
