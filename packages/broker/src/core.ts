// The parts of one run of the broker, wired: what a connection needs of the rest, and who tells whom what.
import type { QoS, Will } from "@wrenmq/codec";
import type { HookChain, Logger } from "@wrenmq/plugin-api";
import { Arena, Counters, type Message, Session, type SessionEvents, TopicTable } from "@wrenmq/protocol";
import type { Clock } from "./clock.ts";
import { Durability } from "./durability.ts";
import { Flusher } from "./flusher.ts";
import type { Journal } from "./journal.ts";
import type { BrokerLimits, BrokerOptions, SessionPolicy } from "./options.ts";
import { RetainedMessages } from "./retained-messages.ts";
import { pluginMessage, Router } from "./router.ts";
import { Routes } from "./routes.ts";
import { SessionRegistry } from "./session-registry.ts";
import { Timers } from "./timers.ts";
import { publishWill } from "./wills.ts";

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
  readonly counters: Counters = new Counters();
  readonly flusher: Flusher;
  readonly logger: Logger;
  /** Clients that come and go are worth a line only to those who look for it. */
  readonly logsClients: boolean;
  readonly topics: TopicTable;
  readonly router: Router;
  readonly registry: SessionRegistry;
  readonly durability: Durability | undefined;
  readonly sessionPolicy: SessionPolicy;
  readonly responseInformation: ((clientId: string) => string | undefined) | undefined;
  limits: BrokerLimits;

  constructor({ options, limits, clock, logger, chainOf, observe }: CoreOptions) {
    this.arena = new Arena(Buffer.allocUnsafeSlow(ARENA_SIZE));
    this.clock = clock;
    this.logger = logger;
    this.logsClients = logger.isLevelEnabled?.("debug") ?? true;
    this.limits = limits;
    this.timers = new Timers(clock);
    this.flusher = new Flusher(clock);
    this.topics = new TopicTable({ maxLength: limits.maxTopicLength, maxLevels: limits.maxTopicLevels });
    this.responseInformation = options.responseInformation;
    this.sessionPolicy = {
      defaultExpiry: options.session?.defaultExpiry ?? Number.POSITIVE_INFINITY,
      maximumExpiry: options.session?.maximumExpiry ?? Number.POSITIVE_INFINITY,
    };
    const routes = new Routes(this.topics, options.shared?.strategy ?? "round-robin");
    const retained = new RetainedMessages(() => this.limits);
    this.router = new Router(routes, retained, this.topics, this.counters, { observe, chainOf }, () => clock.now());
    this.registry = new SessionRegistry(this.timers, (clientId) => this.#newSession(clientId), {
      created: (entry) => this.#observe.sessionCreated?.(entry.info()),
      resumed: (entry) => this.#observe.sessionResumed?.(entry.info()),
      takenOver: (entry) => this.#observe.sessionTakenOver?.(entry.info()),
      changed: (entry) => this.durability?.remember(entry),
      ended: (entry, reason) => {
        for (const filter of entry.session.subscriptions.keys()) routes.remove(entry, filter);
        this.durability?.forget(entry);
        this.#observe.sessionEnded?.(entry.info(), reason);
      },
      publishWill: (entry, will: Will) => void publishWill(this, entry, will),
    });
    this.durability = options.store === undefined ? undefined : new Durability(options.store, this);
    this.flusher.journal = this.durability?.journal;
    this.router.journal = this.durability?.journal;
  }

  get journal(): Journal | undefined {
    return this.durability?.journal;
  }

  /** Is there room for another client? */
  hasRoom(): boolean {
    return this.limits.maxConnections === 0 || this.registry.connected < this.limits.maxConnections;
  }

  get #observe(): HookChain["observe"] {
    return this.router.hooks.observe;
  }

  #newSession(clientId: string): Session {
    const observe = this.#observe;
    const events: SessionEvents = {
      dropped: (session, message, reason) => this.router.dropped(session, message, reason),
      delivered: observe.delivered && ((session, message, qos) => this.#delivered(session, message, qos as QoS)),
      acknowledged: observe.acknowledged && ((session, packetId) => this.#acknowledged(session, packetId)),
    };
    return new Session({ clientId, limits: this.limits, events });
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
