// What connections use of the broker and of their listener.
import type { ClientInfo, HookChain, Logger } from "@wrenmq/plugin-api";
import type { Arena, ConnectionSettings, Counters, Seconds, SessionLimits, TopicTable } from "@wrenmq/protocol";
import type { ConnectionInfo } from "@wrenmq/transport";
import type { AuthorizationCache, Rules } from "../access/authorization-cache.ts";
import type { DollarTopics } from "../access/reserved-topics.ts";
import type { BanList } from "../limits/ban-list.ts";
import type { BrokerLimits, SessionPolicy } from "../limits/limits.ts";
import type { FactLog } from "../persistence/fact-log.ts";
import type { AckBarrier } from "../routing/ack-barrier.ts";
import type { Router } from "../routing/router.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Flusher } from "../runtime/flusher.ts";
import type { RefusalLog } from "../runtime/refusal-log.ts";
import type { Timers } from "../runtime/timers.ts";
import type { LatencyProbe } from "../sessions/latency-probe.ts";
import type { MessageTaps } from "../sessions/message-taps.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";
import type { Drain } from "./drain.ts";
import type { ZeroCopyBatch } from "./zero-copy-batch.ts";

/** The parts of one running broker. */
export interface BrokerServices {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly counters: Counters;
  readonly flusher: Flusher;
  readonly zeroCopyBatch: ZeroCopyBatch;
  readonly logger: Logger;
  readonly refusals: RefusalLog;
  /** Is a log line for each client that connects wanted? */
  readonly logsClients: boolean;
  readonly topics: TopicTable;
  readonly router: Router;
  readonly registry: SessionRegistry;
  readonly factLog: FactLog | undefined;
  readonly ackBarrier: AckBarrier;
  readonly sessionPolicy: SessionPolicy;
  readonly responseInformation: ((clientId: string) => string | undefined) | undefined;
  readonly limits: BrokerLimits;
  /** May clients publish to topics that begin with `$`? */
  readonly dollarTopics: DollarTopics;
  /** Bans by client identifier, user name and address. */
  readonly bans: BanList;
  /** Connections that are traced. */
  readonly connectionTaps: {
    /** Is nobody traced? */
    readonly isEmpty: boolean;
    /** A connection on which nothing has arrived. */
    opened(connection: TappedConnection): void;
  };
  /** Measures how long messages take; undefined: nobody wants to know. */
  readonly latencyProbe: LatencyProbe | undefined;
  /** What happens to messages on their way to sessions. */
  readonly messageTaps: MessageTaps;
  /** State of the drain. */
  readonly drain: Drain;
  /** For restored sessions, until their clients connect. */
  readonly sessionLimits: SessionLimits;
  /** May another client connect? */
  hasRoom(): boolean;
  /** May the client have a session with this expiry interval? Yes if it replaces one, or ends with its connection. */
  hasRoomForSession(clientId: string, expiryInterval: Seconds): boolean;
  /** An unused client identifier that this broker serves. */
  newClientId(): string;
  /** Where clients' homes move: does this broker still serve the client? */
  isStillHome(clientId: string): boolean;
}

/** What a trace replaces of a connection. */
export interface TappedConnection {
  readonly transport: { readonly id: number };
  /** Set by CONNECT. */
  readonly client: ClientInfo;
  scope: ListenerScope;
  /** Set when the client has its session. */
  access: AuthorizationCache;
}

/** What the connections of one listener share. */
export interface ListenerScope {
  /** Name of the listener. */
  readonly name: string;
  readonly broker: BrokerServices;
  /** Limits for later connections. */
  readonly limits: BrokerLimits;
  readonly settings: ConnectionSettings;
  /** One object for all sessions whose clients used this listener last. */
  readonly sessionLimits: SessionLimits;
  /** Replaced when plugins change. */
  readonly chain: HookChain;
  /** The present access rules. */
  readonly rules: () => Rules;
  /** May one more accepted connection begin with CONNECT? */
  readonly hasRoom: boolean;
  /** Is there room for a connection that takes over the connection of its own client? [MQTT-3.1.4-3] */
  hasRoomByTakeover(clientId: string): boolean;
  /** A connection has ended for MQTT; its transport may still be sending the last packet. */
  conversationEnded(): void;
  /** @param id of the transport's connection */
  connectionClosed(id: number): void;
  /** A client was closed for what it sent instead of CONNECT, or in it. */
  protocolFailure(client: ConnectionInfo, reason: string): void;
}
