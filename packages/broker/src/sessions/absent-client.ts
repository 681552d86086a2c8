// The `ClientInfo` of a client that has not connected since the broker has started.
import type { ClientInfo } from "@wrenmq/plugin-api";

export function absentClient(clientId: string): ClientInfo {
  return {
    clientId,
    username: undefined,
    protocolVersion: 5,
    bridge: false,
    cleanStart: false,
    keepAlive: 0,
    listener: "",
    remoteAddress: "",
    remotePort: undefined,
    secure: false,
    certificate: undefined,
    userProperties: [],
    connectedAt: 0,
    attributes: {},
  };
}
