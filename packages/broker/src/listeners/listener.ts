// What all connections of one listener share: its name, its limits, its plugins, and the broker's parts.
import { ReasonCode } from "@wrenmq/codec";
import type { HookChain } from "@wrenmq/plugin-api";
import type { ConnectionEnd, ConnectionSettings, SessionLimits } from "@wrenmq/protocol";
import type { ConnectionInfo } from "@wrenmq/transport";
import type { Rules } from "../connections/authorization-cache.ts";
import type { ClientConnection } from "../connections/client-connection.ts";
import type { BrokerCore } from "../core.ts";
import { type BrokerLimits, sessionLimitsOf } from "../options.ts";
import { ConnectionRate } from "./connection-rate.ts";
import { HandshakeFailures } from "./handshake-failures.ts";

/** What a client gets that speaks no MQTT, or none that we know. */
const NO_MQTT: ReadonlySet<ReasonCode> = new Set([
  ReasonCode.ProtocolError,
  ReasonCode.MalformedPacket,
  ReasonCode.UnsupportedProtocolVersion,
]);

export class Listener {
  readonly name: string;
  readonly broker: BrokerCore;
  /** Those of connections that come from now on. */
  limits!: BrokerLimits;
  settings!: ConnectionSettings;
  /** One for all sessions of clients that came by this listener last. */
  readonly sessionLimits: SessionLimits;
  /** Swapped when plugins change. */
  chain: HookChain;
  /** For `AuthorizationCache`: the rules as they are when it asks. */
  readonly rules: () => Rules;
  readonly trouble: HandshakeFailures;
  #maxConnections = 0;
  #rate: ConnectionRate | undefined;
  readonly #connections = new Set<ClientConnection>();
  /** Connections that are not at their end: those that were refused take nobody's place while they read why. */
  #open = 0;

  constructor(name: string, broker: BrokerCore, chain: HookChain) {
    this.name = name;
    this.broker = broker;
    this.chain = chain;
    this.sessionLimits = sessionLimitsOf(broker.limits);
    const { logger, clock, timers, counters } = broker;
    this.trouble = new HandshakeFailures({ listener: name, logger, clock, timers, counters });
    this.rules = () => ({ chain: this.chain, generation: broker.router.rules });
    this.configure(broker.limits, 0);
  }

  configure(limits: BrokerLimits, maxConnections: number): void {
    const { connectionRate } = limits;
    if ((this.limits as BrokerLimits | undefined)?.connectionRate !== connectionRate) {
      this.#rate = connectionRate > 0 ? new ConnectionRate(connectionRate) : undefined;
    }
    this.limits = limits;
    Object.assign(this.sessionLimits, sessionLimitsOf(limits));
    this.#maxConnections = maxConnections;
    this.settings = { capabilities: limits, topics: this.broker.topics, counters: this.broker.counters };
  }

  get connections(): ReadonlySet<ClientConnection> {
    return this.#connections;
  }

  /** May one more connection that has been accepted talk to us? */
  get hasRoom(): boolean {
    const maximum = this.#maxConnections;
    return (maximum === 0 || this.#open <= maximum) && this.broker.hasRoom();
  }

  /** Is there room for a connection that takes the place of another one, as its client has that already? [MQTT-3.1.4-3] */
  hasRoomByTakeover(clientId: string): boolean {
    const replaced = this.broker.registry.get(clientId)?.connection as ClientConnection | undefined;
    if (replaced === undefined) return false;
    return this.#maxConnections === 0 || this.#connections.has(replaced) || this.#open <= this.#maxConnections;
  }

  /** @returns false: too many connections came from its address within a second */
  admits(client: Pick<ConnectionInfo, "remoteAddress">): boolean {
    if (this.#rate === undefined || this.#rate.admits(client.remoteAddress, this.broker.clock.now())) return true;
    this.broker.counters.connectionsRefused++;
    return false;
  }

  connectionOpened(driver: ClientConnection): void {
    this.#connections.add(driver);
    this.#open++;
    this.broker.counters.connectionsAccepted++;
  }

  connectionClosed(driver: ClientConnection): void {
    this.#connections.delete(driver);
  }

  /** The client is gone as far as MQTT is concerned; the transport may still be sending our last words. */
  conversationEnded(driver: ClientConnection, end: ConnectionEnd): void {
    this.#open--;
    const { logger, registry, clock, sessionPolicy } = this.broker;
    const { by, reasonCode, reason } = end;
    const { entry } = driver;
    if (entry === undefined) {
      logger.debug({ listener: this.name, reasonCode, reason }, "connection ended");
      if (by === "server" && NO_MQTT.has(reasonCode)) this.trouble.protocolFailure(driver.transport.info, reason);
      return;
    }
    const { session } = entry;
    // DISCONNECT may have changed it. [MQTT5 3.14.2.2.2]
    if (entry.connection === driver) {
      session.expiryInterval = Math.min(session.expiryInterval, sessionPolicy.maximumExpiry);
    }
    const { client } = driver;
    logger.info({ clientId: client.clientId, by, reasonCode, reason }, "client disconnected");
    const tell = (): void => this.chain.observe.disconnected?.(client, reasonCode);
    if (entry.connection === driver) registry.disconnected(entry, clock.now(), tell);
    else tell();
  }
}
