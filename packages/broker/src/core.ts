// Makes and connects the parts of one run of the broker. Only this file knows them all.
import type { HookChain, Logger } from "@wrenmq/plugin-api";
import {
  Arena,
  Counters,
  type DeliveryOptions,
  type Message,
  type Seconds,
  Session,
  type SessionEvents,
  type SessionLimits,
  TopicTable,
} from "@wrenmq/protocol";
import { mayReceiveQueued } from "./access/recheck.ts";
import type { DollarTopics } from "./access/reserved-topics.ts";
import { publishWill } from "./access/wills.ts";
import type { Placement } from "./clustering/client-placement.ts";
import { ClusterNode } from "./clustering/cluster-node.ts";
import { ConnectionTaps } from "./connections/connection-taps.ts";
import { Drain } from "./connections/drain.ts";
import type { BrokerServices } from "./connections/services.ts";
import { ZeroCopyBatch } from "./connections/zero-copy-batch.ts";
import { BanList } from "./limits/ban-list.ts";
import { type BrokerLimits, type SessionPolicy, sessionLimitsOf } from "./limits/limits.ts";
import { FactLog } from "./persistence/fact-log.ts";
import { MessageOutbox } from "./persistence/message-outbox.ts";
import { AckBarrier } from "./routing/ack-barrier.ts";
import { pluginMessage } from "./routing/plugin-message.ts";
import { RetainedMessages } from "./routing/retained-messages.ts";
import { RouteTable } from "./routing/route-table.ts";
import { Router } from "./routing/router.ts";
import { SlowConsumers } from "./routing/slow-consumers.ts";
import { BackgroundTasks } from "./runtime/background-tasks.ts";
import type { Clock } from "./runtime/clock.ts";
import { Flusher } from "./runtime/flusher.ts";
import { RefusalLog } from "./runtime/refusal-log.ts";
import { Timers } from "./runtime/timers.ts";
import { DropHistory } from "./sessions/drop-history.ts";
import { LatencyProbe } from "./sessions/latency-probe.ts";
import { MessageTaps } from "./sessions/message-taps.ts";
import { SessionFacts } from "./sessions/session-facts.ts";
import { SessionRegistry } from "./sessions/session-registry.ts";
import { takeUndelivered } from "./sessions/undelivered.ts";
import type { SettledOptions } from "./settings/settle.ts";

/** Bytes of the arena: memory is taken page by page as it is used. */
const ARENA_SIZE = 64 * 1024 * 1024;

export interface CoreOptions {
  readonly options: SettledOptions;
  readonly limits: BrokerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The plugins of the listener that a client has used. */
  chainOf(listener: string): HookChain;
  readonly observe: HookChain["observe"];
}

export class BrokerCore implements BrokerServices {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly backgroundTasks: BackgroundTasks;
  readonly counters: Counters = new Counters();
  readonly flusher: Flusher;
  readonly zeroCopyBatch: ZeroCopyBatch = new ZeroCopyBatch();
  readonly logger: Logger;
  readonly logsClients: boolean;
  readonly refusals: RefusalLog;
  readonly topics: TopicTable;
  readonly router: Router;
  readonly registry: SessionRegistry;
  readonly factLog: FactLog | undefined;
  readonly outbox: MessageOutbox | undefined;
  readonly sessionFacts: SessionFacts | undefined;
  readonly ackBarrier: AckBarrier;
  /** This broker as one of several that act as one. */
  readonly cluster: ClusterNode | undefined;
  readonly placement: Placement | undefined;
  readonly bans: BanList = new BanList();
  readonly drain: Drain;
  readonly connectionTaps: ConnectionTaps;
  readonly messageTaps: MessageTaps = new MessageTaps(() => this.#connectEvents());
  latencyProbe: LatencyProbe | undefined;
  readonly sessionPolicy: SessionPolicy;
  /** Milliseconds. */
  readonly takeoverGrace: number;
  /** Another broker has what this one stores: see `Broker.abandon`. */
  isAbandoned: boolean = false;
  readonly responseInformation: ((clientId: string) => string | undefined) | undefined;
  limits: BrokerLimits;
  readonly dollarTopics: DollarTopics;
  /** Limits of sessions whose clients have not connected since the start; changes apply to existing ones too. */
  readonly sessionLimits: SessionLimits;
  readonly #sessionEvents: SessionEvents;
  readonly #keepsDropHistory: boolean;

  constructor({ options, limits, clock, logger, chainOf, observe }: CoreOptions) {
    const { bus, store, placement } = options;
    this.arena = new Arena(Buffer.allocUnsafeSlow(ARENA_SIZE));
    this.clock = clock;
    this.logger = logger;
    this.logsClients = logger.isLevelEnabled?.("info") ?? true;
    this.limits = limits;
    this.dollarTopics = options.dollarTopics;
    this.sessionLimits = sessionLimitsOf(limits);
    this.timers = new Timers(clock, (error) => logger.error({ err: error }, "a timer failed"));
    this.refusals = new RefusalLog(logger, clock, this.timers);
    this.backgroundTasks = new BackgroundTasks(clock, (error) =>
      logger.error({ err: error }, "a background task failed"),
    );
    this.flusher = new Flusher(clock);
    this.topics = new TopicTable(() => this.limits);
    this.responseInformation = options.responseInformation;
    this.sessionPolicy = options.session;
    this.takeoverGrace = options.takeoverGrace ?? 0;
    const routes = new RouteTable(options.shared.strategy);
    const retained = new RetainedMessages(() => this.limits);
    this.router = new Router(routes, retained, this.topics, this.counters, { observe, chainOf }, () => clock.now());
    this.router.defect = (error) => logger.error({ err: error }, "a delivery failed");
    this.registry = new SessionRegistry(this.timers, (clientId) => this.#newSession(clientId), {
      created: (entry) => this.#observe.sessionCreated?.(entry.info()),
      resumed: (entry) => this.#observe.sessionResumed?.(entry.info()),
      takenOver: (entry) => this.#observe.sessionTakenOver?.(entry.info()),
      changed: (entry) => {
        this.sessionFacts?.remember(entry);
        this.cluster?.sessionChanged(entry);
      },
      ended: (entry, reason) => {
        const { clientId } = entry.session;
        const undelivered = takeUndelivered(entry, (message) =>
          this.router.dropped(clientId, message, "sessionEnded", "subscriber"),
        );
        const rest = routes.removeAll(entry);
        if (rest !== undefined) this.backgroundTasks.add(rest);
        this.sessionFacts?.forget(entry);
        // In the same turn, so that its removal from the store is in the same batch.
        this.router.reassignAll(clientId, undelivered, clock.now());
        if (reason === "expired" && entry.session.expiryInterval > 0) this.counters.sessionsExpired++;
        this.#observe.sessionEnded?.(entry.info(), reason);
      },
      publishWill: (entry, will) => {
        if (!this.isAbandoned) publishWill(this, entry, will);
      },
    });
    this.drain = new Drain({ clock, timers: this.timers, registry: this.registry });
    this.connectionTaps = new ConnectionTaps(this.registry);
    this.#keepsDropHistory = options.dropHistory === true;
    const slowConsumers = new SlowConsumers({ registry: this.registry, clock, timers: this.timers, logger });
    this.#sessionEvents = {
      dropped: (session, message, reason) => this.router.dropped(session.clientId, message, reason, "subscriber"),
      delivered: undefined,
      queued: undefined,
      acknowledged: undefined,
      congested: (session) => slowConsumers.congested(session),
      caughtUp: (session, dropped) => slowConsumers.caughtUp(session, dropped),
      mayReceive: (session, message) => mayReceiveQueued(this, session, message),
    };
    this.#connectEvents();
    if (store !== undefined) {
      this.factLog = new FactLog({
        store,
        timers: this.timers,
        logger,
        now: () => clock.now(),
        wake: () => this.flusher.wake(),
        recovered: () => this.#pumpAll(),
      });
      this.outbox = new MessageOutbox(this.factLog);
      this.sessionFacts = new SessionFacts(store, this.factLog, this.topics);
    }
    this.flusher.factLog = this.factLog;
    this.router.factLog = this.factLog;
    this.router.outbox = this.outbox;
    this.ackBarrier = new AckBarrier(this.factLog);
    this.placement = placement;
    if (bus !== undefined) {
      this.cluster = new ClusterNode(bus, this, store !== undefined);
      this.router.forwarder = this.cluster;
    }
  }

  hasRoom(): boolean {
    return this.limits.maxConnections === 0 || this.registry.connected < this.limits.maxConnections;
  }

  hasRoomForSession(clientId: string, expiryInterval: Seconds): boolean {
    const { maxSessions } = this.limits;
    return (
      maxSessions === 0 || this.registry.lasting < maxSessions || !this.registry.isOneMore(clientId, expiryInterval)
    );
  }

  newClientId(): string {
    for (;;) {
      const clientId = `wrenmq-${globalThis.crypto.randomUUID()}`;
      if (this.placement === undefined || this.placement.isHome(clientId)) return clientId;
    }
  }

  isStillHome(clientId: string): boolean {
    return this.placement?.isStillHome?.(clientId) !== false;
  }

  /** Calls back with samples of the time that messages take. @returns ends it */
  watchLatency(callback: (milliseconds: number) => void): () => void {
    const { counters, messageTaps: taps, registry, flusher } = this;
    this.latencyProbe ??= new LatencyProbe({ counters, taps, registry, flusher });
    const probe = this.latencyProbe;
    probe.watch(callback);
    return () => {
      probe.unwatch(callback);
      if (!probe.isWatched && this.latencyProbe === probe) this.latencyProbe = undefined;
    };
  }

  /** Changes limits, for existing and later sessions. */
  setLimits(limits: BrokerLimits): void {
    this.limits = limits;
    Object.assign(this.sessionLimits, sessionLimitsOf(limits));
  }

  /** Plugins or listeners to events have changed: who observes, and does any plugin decide about topics? */
  setObservers(observe: HookChain["observe"], checksReceivers: boolean): void {
    const { router } = this;
    router.hooks = { ...router.hooks, observe };
    router.checksReceivers = checksReceivers;
    router.routes.checksTopics = checksReceivers;
    router.rules++;
    this.#connectEvents();
  }

  /** Who observes or taps messages has changed: what nobody wants is not called. */
  #connectEvents(): void {
    const { delivered, acknowledged } = this.#observe;
    const { tap } = this.messageTaps;
    const reportsDeliveries = delivered !== undefined || tap !== undefined;
    Object.assign(this.#sessionEvents, {
      delivered: reportsDeliveries ? this.#delivered : undefined,
      queued:
        tap &&
        (({ clientId, queued }: Session, message: Message, { qos, retain }: DeliveryOptions) =>
          tap.queued(clientId, message, { qos, retain, length: queued })),
      acknowledged: acknowledged && ((session: Session, packetId: number) => this.#acknowledged(session, packetId)),
    });
    const recordsDrops = this.#keepsDropHistory || tap !== undefined;
    this.router.dropRecorder = recordsDrops ? this.#recordDrop : undefined;
  }

  readonly #recordDrop: NonNullable<Router["dropRecorder"]> = (clientId, message, reason, side) => {
    this.messageTaps.tap?.dropped(clientId, message, reason, side);
    if (!this.#keepsDropHistory) return;
    const entry = this.registry.get(clientId);
    if (entry === undefined) return;
    entry.drops ??= new DropHistory();
    entry.drops.add({ at: this.clock.now(), topic: message.topic, reason, side });
  };

  get #observe(): HookChain["observe"] {
    return this.router.hooks.observe;
  }

  #newSession(clientId: string): Session {
    return new Session({ clientId, limits: this.sessionLimits, events: this.#sessionEvents });
  }

  /** The store works again: queues that continue in it can be read. */
  #pumpAll(): void {
    const now = this.clock.now();
    for (const { session } of this.registry.values()) if (session.link !== undefined) session.pump(now);
  }

  readonly #delivered: NonNullable<SessionEvents["delivered"]> = ({ clientId }, message, { qos, retain }, waited) => {
    this.messageTaps.tap?.delivered(clientId, message, { qos, retain, waited });
    const { delivered } = this.#observe;
    const client = delivered && this.registry.get(clientId)?.client;
    if (client !== undefined) delivered?.(client, pluginMessage(message), qos);
  };

  #acknowledged(session: Session, packetId: number): void {
    const client = this.registry.get(session.clientId)?.client;
    if (client !== undefined) this.#observe.acknowledged?.(client, packetId);
  }
}
