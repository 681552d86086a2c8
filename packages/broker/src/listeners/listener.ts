// One listener: its limits, plugins and connections. It is the scope of every connection that it has accepted.
import type { HookChain } from "@wrenmq/plugin-api";
import type { ConnectionSettings, SessionLimits } from "@wrenmq/protocol";
import type { ConnectionInfo } from "@wrenmq/transport";
import type { Rules } from "../access/authorization-cache.ts";
import type { ClientConnection } from "../connections/client-connection.ts";
import type { BrokerServices, ListenerScope } from "../connections/services.ts";
import { type BrokerLimits, sessionLimitsOf } from "../limits/limits.ts";
import { ConnectionRate } from "./connection-rate.ts";
import { HandshakeFailures } from "./handshake-failures.ts";

export class Listener implements ListenerScope {
  readonly name: string;
  readonly broker: BrokerServices;
  limits!: BrokerLimits;
  settings!: ConnectionSettings;
  readonly sessionLimits: SessionLimits;
  chain: HookChain;
  readonly rules: () => Rules;
  readonly handshakeFailures: HandshakeFailures;
  #maxConnections = 0;
  #rate: ConnectionRate | undefined;
  /** By the id of the transport's connection. */
  readonly #connections = new Map<number, ClientConnection>();
  /** Connections that have not ended for MQTT: a refused one that is still being written does not count. */
  #open = 0;

  constructor(name: string, broker: BrokerServices, chain: HookChain) {
    this.name = name;
    this.broker = broker;
    this.chain = chain;
    this.sessionLimits = sessionLimitsOf(broker.limits);
    const { logger, clock, timers, counters } = broker;
    this.handshakeFailures = new HandshakeFailures({ listener: name, logger, clock, timers, counters });
    let rules = this.#newRules();
    // Called for every message: an object is made only when something has changed.
    this.rules = () => {
      if (rules.generation !== broker.router.rules || rules.chain !== this.chain) rules = this.#newRules();
      return rules;
    };
    this.configure(broker.limits, 0);
  }

  #newRules(): Rules {
    const { router, dollarTopics } = this.broker;
    return { chain: this.chain, generation: router.rules, dollarTopics };
  }

  configure(limits: BrokerLimits, maxConnections: number): void {
    const { connectionRate } = limits;
    if ((this.limits as BrokerLimits | undefined)?.connectionRate !== connectionRate) {
      this.#rate = connectionRate > 0 ? new ConnectionRate(connectionRate) : undefined;
    }
    this.limits = limits;
    Object.assign(this.sessionLimits, sessionLimitsOf(limits));
    this.#maxConnections = maxConnections;
    const { topics, counters } = this.broker;
    this.settings = { capabilities: limits, topics, counters, maxUnsettled: limits.maxUnsettled };
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  get maxConnections(): number {
    return this.#maxConnections;
  }

  get connections(): readonly ClientConnection[] {
    return [...this.#connections.values()];
  }

  /** May one more accepted connection begin with CONNECT? */
  get hasRoom(): boolean {
    const maximum = this.#maxConnections;
    return (maximum === 0 || this.#open <= maximum) && this.broker.hasRoom();
  }

  hasRoomByTakeover(clientId: string): boolean {
    const replaced = this.broker.registry.get(clientId)?.connection as ClientConnection | undefined;
    if (replaced === undefined) return false;
    const isOurs = this.#connections.get(replaced.transport.id) === replaced;
    return isOurs || this.#maxConnections === 0 || this.#open <= this.#maxConnections;
  }

  /** @returns false: too many connections came from this address within a second */
  admits(client: Pick<ConnectionInfo, "remoteAddress">): boolean {
    if (this.#rate === undefined || this.#rate.admits(client.remoteAddress, this.broker.clock.now())) return true;
    this.broker.counters.connectionsRefused++;
    return false;
  }

  connectionOpened(connection: ClientConnection): void {
    this.#connections.set(connection.transport.id, connection);
    this.#open++;
    this.broker.counters.connectionsAccepted++;
  }

  conversationEnded(): void {
    this.#open--;
  }

  connectionClosed(id: number): void {
    this.#connections.delete(id);
  }

  protocolFailure(client: ConnectionInfo, reason: string): void {
    this.handshakeFailures.protocolFailure(client, reason);
  }
}
