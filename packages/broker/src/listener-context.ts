// What all connections of one listener share: its name, its limits, its plugins, and the broker's parts.
import type { HookChain, Logger } from "@wrenmq/plugin-api";
import type { Arena, ConnectionEnd, ConnectionSettings, Counters, TopicTable } from "@wrenmq/protocol";
import type { Rules } from "./access.ts";
import type { Clock } from "./clock.ts";
import type { ConnectionDriver } from "./connection-driver.ts";
import type { Flusher } from "./flusher.ts";
import type { Journal } from "./journal.ts";
import type { BrokerLimits, SessionPolicy } from "./options.ts";
import type { Router } from "./router.ts";
import type { SessionRegistry } from "./session-registry.ts";
import type { Timers } from "./timers.ts";

/** The broker's parts, as a connection uses them. */
export interface BrokerParts {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly counters: Counters;
  readonly flusher: Flusher;
  readonly journal: Journal | undefined;
  readonly logger: Logger;
  readonly registry: SessionRegistry;
  readonly router: Router;
  readonly topics: TopicTable;
  readonly sessionPolicy: SessionPolicy;
  readonly responseInformation: ((clientId: string) => string | undefined) | undefined;
  /** Is there room for another client? */
  hasRoom(): boolean;
}

export class ListenerContext {
  readonly name: string;
  readonly broker: BrokerParts;
  readonly limits: BrokerLimits;
  readonly maxConnections: number;
  readonly settings: ConnectionSettings;
  /** Swapped when plugins change. */
  chain: HookChain;
  readonly #connections = new Set<ConnectionDriver>();
  readonly #rules: () => Rules;

  constructor(name: string, broker: BrokerParts, limits: BrokerLimits, maxConnections: number, chain: HookChain) {
    this.name = name;
    this.broker = broker;
    this.limits = limits;
    this.maxConnections = maxConnections;
    this.chain = chain;
    this.settings = { capabilities: limits, topics: broker.topics, counters: broker.counters };
    this.#rules = () => ({ chain: this.chain, generation: broker.router.rules });
  }

  get rules(): () => Rules {
    return this.#rules;
  }

  get connections(): ReadonlySet<ConnectionDriver> {
    return this.#connections;
  }

  /** May one more connection that has been accepted talk to us? */
  get hasRoom(): boolean {
    return (this.maxConnections === 0 || this.#connections.size <= this.maxConnections) && this.broker.hasRoom();
  }

  connectionOpened(driver: ConnectionDriver): void {
    this.#connections.add(driver);
    this.broker.counters.connectionsAccepted++;
  }

  connectionClosed(driver: ConnectionDriver): void {
    this.#connections.delete(driver);
  }

  /** The client is gone as far as MQTT is concerned; the transport may still be sending our last words. */
  conversationEnded(driver: ConnectionDriver, end: ConnectionEnd): void {
    const { broker } = this;
    const { entry } = driver;
    if (entry === undefined) {
      broker.logger.debug({ listener: this.name, reasonCode: end.reasonCode, reason: end.reason }, "connection ended");
      return;
    }
    const { client } = driver;
    broker.logger.info(
      { clientId: client.clientId, by: end.by, reasonCode: end.reasonCode, reason: end.reason },
      "client disconnected",
    );
    if (entry.connection === driver) broker.registry.disconnected(entry, end, broker.clock.now());
    this.chain.observe.disconnected?.(client, end.reasonCode);
  }
}
