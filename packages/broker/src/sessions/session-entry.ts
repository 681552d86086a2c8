// One session with its connection and what waits around it: timers, a delayed will, deliveries that plugins have to allow.
import type { ReasonCode, Will } from "@wrenmq/codec";
import type { ClientInfo, SessionInfo } from "@wrenmq/plugin-api";
import type { Outbox, Session } from "@wrenmq/protocol";
import type { ConnectionInfo } from "@wrenmq/transport";
import type { Timer } from "../runtime/timers.ts";
import type { DropHistory } from "./drop-history.ts";

/** The connection of a session, as far as the registry has to do with it. */
export interface SessionConnection {
  readonly client: ClientInfo;
  readonly outbox: Outbox;
  readonly transport: { readonly info: ConnectionInfo };
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Another connection uses the client identifier now. [MQTT-3.1.4-3] */
  takenOver(): void;
  /** @param serverReference for 0x9C and 0x9D: where to go instead */
  close(reasonCode: ReasonCode, reasonString?: string, serverReference?: string): void;
}

/** Verdicts of one generation of access rules; undefined: a plugin was asked and has not answered. */
export interface RecheckedTopics {
  readonly rules: number;
  readonly verdicts: Map<string, boolean | undefined>;
}

export class SessionEntry {
  readonly session: Session;
  connection: SessionConnection | undefined = undefined;
  /** The client as it was when it connected last; a made-up one for sessions that nobody connected to yet. */
  client: ClientInfo;
  expiryTimer: Timer | undefined = undefined;
  willTimer: Timer | undefined = undefined;
  /** A will whose delay has not passed. */
  pendingWill: Will | undefined = undefined;
  /** Deliveries that wait for a plugin, one after the other. */
  pendingAuthorization: Promise<unknown> | undefined = undefined;
  /** How many they are. */
  pendingAuthorizations: number = 0;
  /** Runs while the session holds publishers. */
  backpressureTimer: Timer | undefined = undefined;
  /** What access rules said about topics of queued messages, while these are checked again. */
  recheckedTopics: RecheckedTopics | undefined = undefined;
  /** Is there a record of it in the store? */
  stored: boolean = false;
  /** Is it counted as one that outlives its connection? */
  lasts: boolean = false;
  ended: boolean = false;
  /** Has it or had it a shared subscription? */
  hasShared: boolean = false;
  /** Made at its first loss, where the broker keeps a history. */
  drops: DropHistory | undefined = undefined;

  constructor(session: Session, client: ClientInfo) {
    this.session = session;
    this.client = client;
  }

  info(): SessionInfo {
    const { session } = this;
    return {
      clientId: session.clientId,
      connected: this.connection !== undefined,
      username: session.username,
      expiryInterval: session.expiryInterval,
      subscriptions: session.subscriptions,
      queued: session.queued,
      inflight: session.window.size,
    };
  }
}
