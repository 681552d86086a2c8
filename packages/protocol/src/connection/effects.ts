// Everything that the protocol machine asks of its environment. Answers are values; two of them mean "later":
//   PARKED    nothing more is read from this client until the answer comes (`resume…`)
//   DEFERRED  the message is taken, its acknowledgement follows (`publishSettled`, also when the connection has ended)
import type {
  AuthPacket,
  ConnectPacket,
  Packet,
  ReasonCode,
  SubscribePacket,
  UnsubscribePacket,
  UserProperties,
} from "@wrenmq/codec";
import type { Message } from "../message/message.ts";
import type { Session } from "../session/session.ts";
import type { Millis, Seconds } from "../time.ts";

export const PARKED: unique symbol = Symbol("parked");
export type Parkable<T> = T | typeof PARKED;

/** A reason code, or one of the two below. */
export type PublishOutcome = number;
export const DEFERRED: PublishOutcome = -1;
export const PUBLISH_PARKED: PublishOutcome = -2;

export type ConnectAnswer = ConnectAccepted | ConnectRefused | ConnectContinued;

export interface ConnectAccepted {
  readonly kind: "accepted";
  readonly session: Session;
  readonly sessionPresent: boolean;
  /** Set when the client has sent no identifier. */
  readonly assignedClientId: string | undefined;
  /** Seconds; set when it may differ from the client's wish. */
  readonly keepAlive?: Seconds;
  /** Set when it differs from the client's wish. */
  readonly sessionExpiryInterval: Seconds | undefined;
  readonly responseInformation?: string | undefined;
  readonly authenticationData?: Uint8Array | undefined;
  readonly userProperties?: UserProperties | undefined;
}

export interface ConnectRefused {
  readonly kind: "refused";
  readonly reasonCode: ReasonCode;
  readonly reasonString?: string | undefined;
  readonly serverReference?: string | undefined;
}

/** Enhanced authentication needs another step. [MQTT5 4.12] */
export interface ConnectContinued {
  readonly kind: "continue";
  readonly authenticationData: Uint8Array | undefined;
}

export type ReauthenticateAnswer =
  | { readonly kind: "success" | "continue"; readonly authenticationData: Uint8Array | undefined }
  | ConnectRefused;

export interface Effects {
  /** The first packet, checked against the standard. */
  connect(packet: ConnectPacket, now: Millis): Parkable<ConnectAnswer>;
  /** The next step of the exchange that CONNECT began. */
  continueConnect(packet: AuthPacket, now: Millis): Parkable<ConnectAnswer>;
  /** A step of an exchange that the connected client began. */
  reauthenticate(packet: AuthPacket, now: Millis): Parkable<ReauthenticateAnswer>;
  /** @param packetId 0 for QoS 0; names the message in `publishSettled` */
  publish(message: Message, packetId: number, now: Millis): PublishOutcome;
  subscribe(packet: SubscribePacket, now: Millis): Parkable<readonly ReasonCode[]>;
  /** SUBACK is on its way: retained messages may follow. */
  subscribed(now: Millis): void;
  unsubscribe(packet: UnsubscribePacket, now: Millis): Parkable<readonly ReasonCode[]>;
  /** The connection has ended for MQTT and its last packet is in the outbox: send it and close. */
  close(end: ConnectionEnd): void;
  /** Called with each packet that arrives; undefined when there is no observer. */
  readonly packetReceived: ((packet: Packet) => void) | undefined;
  /** Called with each packet that is sent. */
  readonly packetSent?: ((packet: Packet) => void) | undefined;
}

export interface ConnectionEnd {
  /** What it ended with; NormalDisconnection for a client's DISCONNECT. */
  readonly reasonCode: ReasonCode;
  /** Who ended it. */
  readonly by: "client" | "server";
  /** For the log. */
  readonly reason: string;
}
