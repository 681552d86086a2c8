// What was counted, as plain numbers: adding one is all it costs.

export class Counters {
  bytesReceived: number = 0;
  bytesSent: number = 0;
  /** Packets of every type. */
  packetsReceived: number = 0;
  packetsSent: number = 0;
  publishReceived: number = 0;
  publishSent: number = 0;
  /** Bytes of payloads. */
  publishBytesReceived: number = 0;
  publishBytesSent: number = 0;
  connectionsAccepted: number = 0;
  connectionsRefused: number = 0;
  /** CONNECT packets. */
  connectsReceived: number = 0;
  /** Sessions that expired while their client was not connected. */
  sessionsExpired: number = 0;
  protocolErrors: number = 0;
  /** TLS and WebSocket handshakes, and PROXY headers, that came to nothing. */
  failedHandshake: number = 0;
  failedProxyHeader: number = 0;
  /** Connections on which no CONNECT came in time. */
  failedConnect: number = 0;
  droppedQueueFull: number = 0;
  droppedExpired: number = 0;
  droppedTooLarge: number = 0;
  droppedBlocked: number = 0;
  droppedNotAuthorized: number = 0;
  droppedInvalidTopic: number = 0;
  droppedOffline: number = 0;
  droppedSessionEnded: number = 0;
  droppedStoreFull: number = 0;
}

/** Why a message was not delivered; docs/configuration.md has the meaning of each. */
export type DropReason =
  | "queueFull"
  | "expired"
  | "tooLarge"
  | "blocked"
  | "notAuthorized"
  | "invalidTopic"
  | "offline"
  | "sessionEnded"
  | "storeFull";

const FIELD = {
  queueFull: "droppedQueueFull",
  expired: "droppedExpired",
  tooLarge: "droppedTooLarge",
  blocked: "droppedBlocked",
  notAuthorized: "droppedNotAuthorized",
  invalidTopic: "droppedInvalidTopic",
  offline: "droppedOffline",
  sessionEnded: "droppedSessionEnded",
  storeFull: "droppedStoreFull",
} as const satisfies Record<DropReason, keyof Counters>;

export function countDrop(counters: Counters, reason: DropReason): void {
  counters[FIELD[reason]]++;
}
