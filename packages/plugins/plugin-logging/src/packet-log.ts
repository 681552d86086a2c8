// Plugin: one log line for each packet, at level debug: "client-1 <-in-- publish".
import { type ClientInfo, definePlugin, type Packet, type Plugin } from "@wrenmq/plugin-api";
import { PACKET_LOG_OPTIONS, type PacketLogOptions } from "./options.ts";

export const packetLog: (options?: PacketLogOptions) => Plugin = definePlugin({
  name: "packet-log",
  config: PACKET_LOG_OPTIONS,
  hooks({ config: { pings }, context: { logger } }) {
    const log = (client: ClientInfo | undefined, arrow: string, packet: Packet) => {
      if (!pings && (packet.type === "pingreq" || packet.type === "pingresp")) return;
      const clientId = client?.clientId ?? (packet.type === "connect" ? packet.clientId : undefined);
      logger.debug({ clientId, packet: withoutSecrets(packet) }, `${clientId ?? "?"} ${arrow} ${packet.type}`);
    };
    return {
      packetReceived: (client, packet) => log(client, "<-in--", packet),
      packetSent: (client, packet) => log(client, "-out->", packet),
    };
  },
});

/** Replaces payloads with their length, and leaves out passwords and authentication data. */
function withoutSecrets(packet: Packet): object {
  switch (packet.type) {
    case "connect": {
      const { password, will, properties, ...rest } = packet;
      return {
        ...rest,
        ...(password === undefined ? {} : { password: "***" }),
        ...(will === undefined ? {} : { will: { ...will, payload: bytes(will.payload) } }),
        ...maskedProperties(properties),
      };
    }
    case "publish":
      return { ...packet, payload: bytes(packet.payload) };
    case "connack":
    case "auth":
      return { ...packet, ...maskedProperties(packet.properties) };
    default:
      return packet;
  }
}

function maskedProperties(properties: { readonly authenticationData?: Uint8Array } | undefined): object {
  if (properties === undefined) return {};
  const { authenticationData, ...rest } = properties;
  return { properties: authenticationData === undefined ? rest : { ...rest, authenticationData: "***" } };
}

function bytes(payload: Uint8Array): string {
  return `${payload.length} bytes`;
}
