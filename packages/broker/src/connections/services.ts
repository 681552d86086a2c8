// What a connection needs of the broker and of its listener.
import type { HookChain, Logger } from "@wrenmq/plugin-api";
import type { Arena, ConnectionSettings, Counters, Seconds, SessionLimits, TopicTable } from "@wrenmq/protocol";
import type { ConnectionInfo } from "@wrenmq/transport";
import type { Rules } from "../access/authorization-cache.ts";
import type { BanList } from "../limits/ban-list.ts";
import type { BrokerLimits, SessionPolicy } from "../limits/limits.ts";
import type { FactLog } from "../persistence/fact-log.ts";
import type { AckBarrier } from "../routing/ack-barrier.ts";
import type { Router } from "../routing/router.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Flusher } from "../runtime/flusher.ts";
import type { Timers } from "../runtime/timers.ts";
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
  /** Is a line for each client that comes worth making? */
  readonly logsClients: boolean;
  readonly topics: TopicTable;
  readonly router: Router;
  readonly registry: SessionRegistry;
  readonly factLog: FactLog | undefined;
  readonly ackBarrier: AckBarrier;
  readonly sessionPolicy: SessionPolicy;
  readonly responseInformation: ((clientId: string) => string | undefined) | undefined;
  readonly limits: BrokerLimits;
  /** Who may not connect for a time. */
  readonly bans: BanList;
  /** Is it being emptied? */
  readonly drain: Drain;
  /** Of sessions that no client has come for yet. */
  readonly sessionLimits: SessionLimits;
  /** Is there room for another client? */
  hasRoom(): boolean;
  /** May the client have a session with this expiry interval? It has room if it takes the place of one, or ends with its connection. */
  hasRoomForSession(clientId: string, expiryInterval: Seconds): boolean;
  /** An unused client identifier that this broker serves. */
  newClientId(): string;
}

/** What all connections of one listener share. */
export interface ListenerScope {
  /** Of the listener. */
  readonly name: string;
  readonly broker: BrokerServices;
  /** Those of connections that come from now on. */
  readonly limits: BrokerLimits;
  readonly settings: ConnectionSettings;
  /** One for all sessions of clients that came by this listener last. */
  readonly sessionLimits: SessionLimits;
  /** Swapped when plugins change. */
  readonly chain: HookChain;
  /** The access rules as they are when it is called. */
  readonly rules: () => Rules;
  /** May one more connection that has been accepted begin a conversation? */
  readonly hasRoom: boolean;
  /** Is there room for a connection that takes the place of another one, as its client has that already? [MQTT-3.1.4-3] */
  hasRoomByTakeover(clientId: string): boolean;
  /** A connection is at its end; its transport may still be sending the last packet. */
  conversationEnded(): void;
  /** @param id of the transport's connection */
  connectionClosed(id: number): void;
  /** A client was closed for what it sent instead of CONNECT, or in it. */
  protocolFailure(client: ConnectionInfo, reason: string): void;
}
