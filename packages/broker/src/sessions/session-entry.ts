// One session with its connection and what belongs to it: timers, a delayed will, deliveries that wait for plugins.
import type { ReasonCode, Will } from "@wrenmq/codec";
import type { ClientInfo, SessionInfo } from "@wrenmq/plugin-api";
import type { Outbox, Session } from "@wrenmq/protocol";
import type { ConnectionInfo } from "@wrenmq/transport";
import type { Timer } from "../runtime/timers.ts";
import type { DropHistory } from "./drop-history.ts";

/** What the registry uses of a connection. */
export interface SessionConnection {
  readonly client: ClientInfo;
  readonly outbox: Outbox;
  readonly transport: { readonly info: ConnectionInfo };
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Another connection uses the client identifier now. [MQTT-3.1.4-3] */
  takenOver(): void;
  /** @param serverReference for 0x9C and 0x9D: the server to use instead */
  close(reasonCode: ReasonCode, reasonString?: string, serverReference?: string): void;
}

/** Verdicts of one generation of access rules; undefined: a plugin was called and has not answered. */
export interface RecheckedTopics {
  readonly rules: number;
  readonly verdicts: Map<string, boolean | undefined>;
}

export class SessionEntry {
  readonly session: Session;
  connection: SessionConnection | undefined = undefined;
  /** The client as it was at its last connection; made up for a session without any. */
  client: ClientInfo;
  expiryTimer: Timer | undefined = undefined;
  willTimer: Timer | undefined = undefined;
  /** A will whose delay is not over. */
  pendingWill: Will | undefined = undefined;
  /** Deliveries that wait for a plugin, one after the other. */
  pendingAuthorization: Promise<unknown> | undefined = undefined;
  /** Number of these deliveries. */
  pendingAuthorizations: number = 0;
  /** Set while the session holds publishers. */
  backpressureTimer: Timer | undefined = undefined;
  /** Verdicts about topics of queued messages, while these are checked again. */
  recheckedTopics: RecheckedTopics | undefined = undefined;
  /** Has the store a record of it? */
  stored: boolean = false;
  /** Is it counted among the sessions that outlive their connections? */
  lasts: boolean = false;
  ended: boolean = false;
  /** Does it have, or did it have, a shared subscription? */
  hasShared: boolean = false;
  /** Made at its first loss, with the option `dropHistory`. */
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
