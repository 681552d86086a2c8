// The parts of one run of the broker, wired: what a connection needs of the rest, and who tells whom what.
import type { QoS, Will } from "@wrenmq/codec";
import type { HookChain, Logger } from "@wrenmq/plugin-api";
import {
  Arena,
  Counters,
  type Message,
  type Seconds,
  Session,
  type SessionEvents,
  type SessionLimits,
  TopicTable,
} from "@wrenmq/protocol";
import { type Adopt, socketAdopter, type TransportName } from "@wrenmq/transport";
import type { Placement } from "./clustering/client-placement.ts";
import { ClusterNode } from "./clustering/cluster-node.ts";
import { ZeroCopyBatch } from "./connections/zero-copy-batch.ts";
import { Durability } from "./durability.ts";
import {
  type BrokerLimits,
  type BrokerOptions,
  type ListenerOptions,
  type SessionPolicy,
  sessionLimitsOf,
} from "./options.ts";
import type { FactLog } from "./persistence/fact-log.ts";
import { RetainedMessages } from "./routing/retained-messages.ts";
import { RouteTable } from "./routing/route-table.ts";
import { pluginMessage, Router } from "./routing/router.ts";
import { publishWill } from "./routing/wills.ts";
import { BackgroundTasks } from "./runtime/background-tasks.ts";
import type { Clock } from "./runtime/clock.ts";
import { Flusher } from "./runtime/flusher.ts";
import { Timers } from "./runtime/timers.ts";
import { SessionRegistry } from "./sessions/session-registry.ts";

/** Bytes of the arena: memory is taken page by page as it is used. */
const ARENA_SIZE = 64 * 1024 * 1024;

export interface CoreOptions {
  readonly options: BrokerOptions;
  readonly limits: BrokerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The plugins of the listener that a client came by. */
  chainOf(listener: string): HookChain;
  readonly observe: HookChain["observe"];
}

export class BrokerCore {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly backgroundTasks: BackgroundTasks;
  readonly counters: Counters = new Counters();
  readonly flusher: Flusher;
  readonly zeroCopyBatch: ZeroCopyBatch = new ZeroCopyBatch();
  readonly logger: Logger;
  /** Clients that come and go are worth a line only to those who look for it. */
  readonly logsClients: boolean;
  readonly topics: TopicTable;
  readonly router: Router;
  readonly registry: SessionRegistry;
  readonly durability: Durability | undefined;
  /** This broker among others that act as one with it. */
  readonly cluster: ClusterNode | undefined;
  readonly placement: Placement | undefined;
  readonly sessionPolicy: SessionPolicy;
  readonly responseInformation: ((clientId: string) => string | undefined) | undefined;
  limits: BrokerLimits;
  readonly #adopters = new Map<string, Adopt>();
  /** One for all sessions that no client has come for yet: what changes, changes for those that exist too. */
  readonly sessionLimits: SessionLimits;
  readonly #sessionEvents: SessionEvents = {
    dropped: (session, message, reason) => this.router.dropped(session, message, reason),
    delivered: undefined,
    acknowledged: undefined,
  };

  constructor({ options, limits, clock, logger, chainOf, observe }: CoreOptions) {
    this.arena = new Arena(Buffer.allocUnsafeSlow(ARENA_SIZE));
    this.clock = clock;
    this.logger = logger;
    this.logsClients = logger.isLevelEnabled?.("debug") ?? true;
    this.limits = limits;
    this.sessionLimits = sessionLimitsOf(limits);
    this.timers = new Timers(clock, (error) => logger.error({ error }, "a timer failed"));
    this.backgroundTasks = new BackgroundTasks(clock, (error) =>
      logger.error({ error }, "work that takes long failed"),
    );
    this.flusher = new Flusher(clock);
    this.topics = new TopicTable({ maxLength: limits.maxTopicLength, maxLevels: limits.maxTopicLevels });
    this.responseInformation = options.responseInformation;
    this.sessionPolicy = {
      defaultExpiry: options.session?.defaultExpiry ?? Number.POSITIVE_INFINITY,
      maximumExpiry: options.session?.maximumExpiry ?? Number.POSITIVE_INFINITY,
    };
    const routes = new RouteTable(options.shared?.strategy ?? "round-robin");
    const retained = new RetainedMessages(() => this.limits);
    this.router = new Router(routes, retained, this.topics, this.counters, { observe, chainOf }, () => clock.now());
    this.router.defect = (error) => logger.error({ error }, "a delivery failed");
    this.registry = new SessionRegistry(this.timers, (clientId) => this.#newSession(clientId), {
      created: (entry) => this.#observe.sessionCreated?.(entry.info()),
      resumed: (entry) => this.#observe.sessionResumed?.(entry.info()),
      takenOver: (entry) => this.#observe.sessionTakenOver?.(entry.info()),
      changed: (entry) => {
        this.durability?.remember(entry);
        this.cluster?.sessionChanged(entry);
      },
      ended: (entry, reason) => {
        const rest = routes.removeAll(entry);
        if (rest !== undefined) this.backgroundTasks.add(rest);
        this.durability?.forget(entry);
        this.#observe.sessionEnded?.(entry.info(), reason);
      },
      publishWill: (entry, will: Will) => publishWill(this, entry, will),
    });
    this.durability = options.store === undefined ? undefined : new Durability(options.store, this);
    this.flusher.factLog = this.durability?.factLog;
    this.router.factLog = this.durability?.factLog;
    const { bus, store, placement } = options;
    this.cluster = bus === undefined ? undefined : new ClusterNode(bus, this, store !== undefined);
    this.router.cluster = this.cluster;
    this.placement = placement;
  }

  get factLog(): FactLog | undefined {
    return this.durability?.factLog;
  }

  /** What makes connections of sockets that another process accepted, as a listener of these options would have. */
  adopter(transport: TransportName, listener: ListenerOptions): Adopt {
    const lingerMs = "lingerMs" in listener ? listener.lingerMs : undefined;
    const isRaw = !("rawTcp" in listener) || listener.rawTcp !== false;
    const key = `${transport} ${lingerMs} ${isRaw}`;
    let adopter = this.#adopters.get(key);
    if (adopter === undefined) {
      const { bytes, readStart: start, readLength: length } = this.arena;
      adopter = socketAdopter({
        transport,
        ...(isRaw ? { readBuffer: { bytes, start, length } } : {}),
        ...(lingerMs === undefined ? {} : { lingerMs }),
      });
      this.#adopters.set(key, adopter);
    }
    return adopter;
  }

  /** Is there room for another client? */
  hasRoom(): boolean {
    return this.limits.maxConnections === 0 || this.registry.connected < this.limits.maxConnections;
  }

  /** May the client have a session with this expiry interval? It has room if it takes the place of one, or ends with its connection. */
  hasRoomForSession(clientId: string, expiryInterval: Seconds): boolean {
    const { maxSessions } = this.limits;
    return (
      maxSessions === 0 || this.registry.lasting < maxSessions || !this.registry.isOneMore(clientId, expiryInterval)
    );
  }

  /** Changes limits, for sessions that exist as for those to come. */
  setLimits(limits: BrokerLimits): void {
    this.limits = limits;
    Object.assign(this.sessionLimits, sessionLimitsOf(limits));
  }

  /** Plugins or listeners to events changed: who watches, and does anybody decide about topics? */
  setObservers(observe: HookChain["observe"], checksReceivers: boolean): void {
    const { router } = this;
    router.hooks = { ...router.hooks, observe };
    router.checksReceivers = checksReceivers;
    router.routes.checksTopics = checksReceivers;
    router.rules++;
    const { delivered, acknowledged } = observe;
    Object.assign(this.#sessionEvents, {
      delivered:
        delivered && ((session: Session, message: Message, qos: QoS) => this.#delivered(session, message, qos)),
      acknowledged: acknowledged && ((session: Session, packetId: number) => this.#acknowledged(session, packetId)),
    });
  }

  get #observe(): HookChain["observe"] {
    return this.router.hooks.observe;
  }

  #newSession(clientId: string): Session {
    return new Session({ clientId, limits: this.sessionLimits, events: this.#sessionEvents });
  }

  #delivered(session: Session, message: Message, qos: QoS): void {
    const client = this.registry.get(session.clientId)?.client;
    if (client !== undefined) this.#observe.delivered?.(client, pluginMessage(message), qos);
  }

  #acknowledged(session: Session, packetId: number): void {
    const client = this.registry.get(session.clientId)?.client;
    if (client !== undefined) this.#observe.acknowledged?.(client, packetId);
  }
}
