// The end of a connection for MQTT: the session is detached, while the transport may still be sending the last packet.
import { ReasonCode } from "@wrenmq/codec";
import type { ClientInfo } from "@wrenmq/plugin-api";
import type { ConnectionEnd } from "@wrenmq/protocol";
import type { Connection } from "@wrenmq/transport";
import type { SessionConnection, SessionEntry } from "../sessions/session-entry.ts";
import type { ListenerScope } from "./services.ts";

/** A connection that is ending. */
export interface EndingClient extends SessionConnection {
  readonly scope: ListenerScope;
  readonly transport: Connection;
  /** undefined: the client was not accepted */
  readonly entry: SessionEntry | undefined;
  readonly client: ClientInfo;
}

/** Reason codes for peers that do not speak MQTT, or an unknown version of it. */
const NO_MQTT: ReadonlySet<ReasonCode> = new Set([
  ReasonCode.ProtocolError,
  ReasonCode.MalformedPacket,
  ReasonCode.UnsupportedProtocolVersion,
]);

export function endConversation(ending: EndingClient, { by, reasonCode, reason }: ConnectionEnd): void {
  const { scope, entry, client } = ending;
  scope.conversationEnded();
  const { logger, registry, clock, sessionPolicy } = scope.broker;
  if (entry === undefined) {
    logger.debug({ listener: scope.name, reasonCode, reason }, "connection ended");
    if (by === "server" && NO_MQTT.has(reasonCode)) scope.protocolFailure(ending.transport.info, reason);
    return;
  }
  const { session } = entry;
  const isCurrent = entry.connection === ending;
  // DISCONNECT may have changed it. [MQTT5 3.14.2.2.2]
  if (isCurrent) session.expiryInterval = Math.min(session.expiryInterval, sessionPolicy.maximumExpiry);
  logger.info({ clientId: client.clientId, by, reasonCode, reason }, "client disconnected");
  const tell = (): void => scope.chain.observe.disconnected?.(client, reasonCode);
  if (isCurrent) registry.disconnected(entry, clock.now(), tell);
  else tell();
}
