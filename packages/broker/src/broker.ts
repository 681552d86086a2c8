// The public class `Broker`: start, shutdown, and the methods for embedders and plugins.
import type { Duplex } from "node:stream";
import { type QoS, ReasonCode } from "@wrenmq/codec";
import type {
  Action,
  ClientInfo,
  HookChain,
  Logger,
  ObserveHooks,
  Opinion,
  Plugin,
  PublishOptions,
  SessionInfo,
} from "@wrenmq/plugin-api";
import { copyBytes, type Message, type StoredMessage, type SubscriptionRecord } from "@wrenmq/protocol";
import { isTopicFilter } from "@wrenmq/topics";
import type { Adoption, Connection, ConnectionHandler, ExternalConnection, TransportName } from "@wrenmq/transport";
import { recheckAll } from "./access/recheck.ts";
import { refuseReserved } from "./access/reserved-topics.ts";
import { withExpiry } from "./access/wills.ts";
import { BrokerCore } from "./core.ts";
import { type BrokerEvent, BrokerEvents } from "./events.ts";
import type { BrokerLimits } from "./limits/limits.ts";
import type { ListenerOptions } from "./listeners/listener-options.ts";
import { type ListenerPlugins, Listeners, type PreparedListeners } from "./listeners/listeners.ts";
import { Operations } from "./operations/operations.ts";
import type { AcceptOptions, BrokerOptions } from "./options.ts";
import { pluginContext } from "./plugins/plugin-context.ts";
import { PluginHost } from "./plugins/plugin-host.ts";
import { Housekeeping } from "./reporting/housekeeping.ts";
import { type Metrics, measure } from "./reporting/metrics.ts";
import { restore } from "./restore.ts";
import { pluginMessage } from "./routing/plugin-message.ts";
import { PublishWaits } from "./routing/publish-waits.ts";
import { BrokerError } from "./runtime/broker-error.ts";
import { systemClock } from "./runtime/clock.ts";
import { boundedLogger, silentLogger } from "./runtime/logger.ts";
import { absentClient } from "./sessions/absent-client.ts";
import type { SessionEntry } from "./sessions/session-entry.ts";
import { connectionFor } from "./settings/accept.ts";
import {
  type SettledOptions,
  settle,
  settleChange,
  settleLimits,
  settleListener,
  settleReplacement,
} from "./settings/settle.ts";
import { thisMachineOnly } from "./settings/this-machine-only.ts";
import { abandon, type HowToShutDown, type RunningParts, shutDown } from "./shut-down.ts";

/** What `prepare` changes. */
export interface BrokerChange {
  /** All listeners: others are closed. Default: they stay as they are. */
  readonly listeners?: Readonly<Record<string, ListenerOptions>>;
  /** All plugins. Default: they stay as they are. */
  readonly plugins?: readonly Plugin[];
  /** All limits: what is not given has its default. Without it: they stay as they are. */
  readonly limits?: Partial<BrokerLimits>;
}

export interface PreparedChange {
  /** Applies the change; cannot fail. Resolves when removed listeners and plugins are closed. */
  commit(): Promise<void>;
  /** Undoes the preparation. */
  abort(): Promise<void>;
}

export type BrokerState = "new" | "starting" | "started" | "stopping" | "stopped";

export class Broker implements AsyncDisposable {
  readonly #options: SettledOptions;
  readonly #logger: Logger;
  readonly #events: BrokerEvents;
  readonly #plugins: PluginHost;
  #limits: BrokerLimits;
  #state: BrokerState = "new";
  #core: BrokerCore;
  #listeners: Listeners;
  #housekeeping: Housekeeping;
  /** The hooks of all plugins. */
  #everyone: HookChain;
  #startedAt = 0;
  #operations: Operations | undefined;

  /**
   * Without options it listens on port 1883 of this machine's loopback addresses, IPv4 and IPv6, and admits clients of this
   * machine without a password. `listeners: {}` listens nowhere; with `listeners` or `plugins` only clients that a plugin
   * admits may connect.
   * @throws BrokerError ERR_BROKER_CONFIG naming the option that is wrong, what was given and what was expected
   */
  constructor(options: BrokerOptions = {}) {
    this.#options = settle(options);
    this.#limits = this.#options.limits;
    this.#logger = options.logger === undefined ? silentLogger : boundedLogger(options.logger);
    this.#events = new BrokerEvents(() => this.#compileChains());
    this.#plugins = this.#newHost();
    this.#everyone = this.#plugins.everyone({});
    [this.#core, this.#listeners, this.#housekeeping] = this.#wire();
  }

  get state(): BrokerState {
    return this.#state;
  }

  /** Addresses at which clients can connect, by the name of the listener: `mqtt://127.0.0.1:1883`. */
  get addresses(): ReadonlyMap<string, string> {
    return new Map(this.#listeners.addresses());
  }

  /**
   * The port of a listener; with option 0 the one that the system has chosen.
   * @returns undefined: there is no such listener, or it has no port
   */
  port(listener: string): number | undefined {
    return this.#listeners.port(listener);
  }

  /** Number of connected clients. */
  get connected(): number {
    return this.#core.registry.connected;
  }

  /**
   * Opens the store, starts the plugins and listens.
   * @throws BrokerError ERR_BROKER_STATE, ListenerError, PluginError, StoreError; nothing keeps running then
   */
  async start(): Promise<void> {
    if (this.#state !== "new" && this.#state !== "stopped") {
      throw new BrokerError("ERR_BROKER_STATE", `start() while the broker is ${this.#state}`);
    }
    if (this.#state === "stopped") {
      [this.#core, this.#listeners, this.#housekeeping] = this.#wire();
      this.#operations?.restarts();
    }
    this.#state = "starting";
    this.#startedAt = this.#core.clock.now();
    try {
      await this.#options.store?.open();
      this.#mustBe("starting");
      await this.#plugins.start(this.#options.plugins);
      this.#mustBe("starting");
      this.#compileChains();
      this.#observe("brokerStarting");
      const { factLog } = this.#core;
      if (this.#options.store !== undefined && factLog !== undefined) restore(this.#core, this.#options.store, factLog);
      await this.#core.cluster?.bus.start();
      this.#mustBe("starting");
      for (const [name, listener] of Object.entries(this.#options.listeners)) {
        await this.#listeners.add(name, listener);
      }
    } catch (error) {
      if (this.#state === "starting") await this.#stop({ reasonCode: ReasonCode.ServerShuttingDown, clear: false });
      throw error;
    }
    this.#state = "started";
    if (this.#options.plugins.includes(thisMachineOnly)) {
      this.#logger.info({}, "no plugins were given: clients of this machine may connect, no password is asked");
    }
    this.#housekeeping.start(
      this.#options.sys,
      () => this.#core.cluster?.gather(this.metrics()) ?? this.metrics(),
      (topic, payload) => {
        if (this.#core.cluster?.isFirst !== false) this.#send(this.#message(topic, payload, { retain: true }));
      },
    );
    this.#observe("brokerStarted");
  }

  /**
   * Disconnects every client and closes everything. The broker may be started again.
   * @param how elsewhere: another broker serves its clients; MQTT 5 ones get 0x9C in place of 0x8B. Default false
   */
  async shutdown({ elsewhere = false }: { readonly elsewhere?: boolean } = {}): Promise<void> {
    if (this.#state === "new" || this.#state === "stopped") return;
    this.#mustBe("started", "shutdown()");
    this.#state = "stopping";
    this.#operations?.stops();
    this.#observe("brokerStopping");
    const reasonCode = elsewhere ? ReasonCode.UseAnotherServer : ReasonCode.ServerShuttingDown;
    await this.#stop({ reasonCode, clear: this.#options.clearOnShutdown === true });
    this.#observe("brokerStopped");
  }

  /**
   * Ends at once, in the middle of `start` or `shutdown` too, because another broker has what this one stores: connections
   * are cut, nothing is acknowledged, sent or stored any more, and no will is published. Never rejects.
   */
  async abandon(): Promise<void> {
    if (this.#state === "new" || this.#state === "stopped") return;
    this.#state = "stopping";
    this.#operations?.stops();
    await abandon(this.#parts);
    this.#state = "stopped";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "started") await this.shutdown();
  }

  /**
   * Serves a byte stream that is already connected. Address, TLS and client certificate are those of the stream: of a
   * `net.Socket`, of a `tls.TLSSocket` after `secureConnection`, or of the socket below it (`socket: request.socket` for
   * `createWebSocketStream(ws)` of the package ws). Other options override them.
   * @param stream a Node stream, or an object that implements `ExternalConnection`, which has its own facts about the peer
   * @throws BrokerError ERR_LISTENER_UNKNOWN, ERR_BROKER_STATE, ERR_BROKER_CONFIG
   */
  accept(stream: Duplex | ExternalConnection, options: AcceptOptions): void {
    this.#mustRun("accept()");
    const transport = connectionFor(stream, options);
    const handler = this.#listeners.accept(transport, options.listener, options.handedOver === true);
    if (handler === undefined) transport.destroy();
    else transport.attach(handler);
  }

  /**
   * Serves a connection that another broker of this process has accepted: its events, and first what was read of it, go to
   * the handler. @returns undefined: it was refused. @throws BrokerError ERR_LISTENER_UNKNOWN, ERR_BROKER_STATE
   */
  take(connection: Connection, listener: string): ConnectionHandler | undefined {
    this.#mustRun("take()");
    return this.#listeners.accept(connection, listener, true);
  }

  /**
   * Serves a connection whose socket another process has accepted and handed over (`releaseSocket`).
   * @throws BrokerError ERR_LISTENER_UNKNOWN, ERR_BROKER_STATE; TypeError when `handle` is not a handle
   */
  adopt(handle: unknown, options: Adoption & { readonly listener: string; readonly transport: TransportName }): void {
    this.#mustRun("adopt()");
    const connection = this.#listeners.adopter(options.listener, options.transport)(handle, options);
    this.accept(connection, { listener: options.listener, handedOver: true });
    connection.resume();
  }

  /** Adds a listener and listens. @throws ListenerError, BrokerError ERR_BROKER_CONFIG */
  async addListener(name: string, options: ListenerOptions): Promise<void> {
    this.#mustRun("addListener()");
    await this.#listeners.add(name, settleListener(options, this.#plugins.named, `addListener("${name}")`));
  }

  /**
   * Replaces limits and plugins of a listener: what is not given is the broker's, as with `addListener`. Its clients
   * stay and are checked again.
   * @returns is there such a listener?
   */
  updateListener(name: string, options: Pick<ListenerOptions, "limits" | "maxConnections" | "plugins">): boolean {
    const change = settleChange(options, this.#plugins.named, `updateListener("${name}")`);
    const isThere = this.#listeners.update(name, change);
    if (isThere) this.rulesChanged();
    return isThere;
  }

  /** Stops listening and disconnects the listener's clients. @returns was there such a listener? */
  async removeListener(name: string): Promise<boolean> {
    return this.#listeners.remove(name);
  }

  /** Reads the certificates of all listeners again. @throws ListenerError; the old ones stay in use then */
  async reloadCertificates(): Promise<void> {
    await this.#listeners.reloadCertificates();
  }

  /**
   * Prepares other listeners, plugins and limits, while everything goes on as before: files are read, plugins start,
   * new listeners listen. What is not given stays as it is. After the commit a listener with the same type and address
   * keeps its clients; those of removed listeners are disconnected.
   * @throws ListenerError, PluginError, BrokerError ERR_BROKER_STATE; nothing has changed then
   */
  async prepare(change: BrokerChange): Promise<PreparedChange> {
    this.#mustRun("prepare()");
    const { listeners, plugins, limits } = this.#settled(change, "prepare()");
    const nextPlugins = plugins && (await this.#plugins.prepare(plugins));
    let nextListeners: PreparedListeners | undefined;
    try {
      // Conflicts between plugins are found before the commit, which cannot fail.
      this.#tryChains(nextPlugins ?? this.#plugins, listeners);
      nextListeners = listeners && (await this.#listeners.prepare(listeners));
    } catch (error) {
      await nextPlugins?.abort();
      throw error;
    }
    return {
      abort: async () => {
        await nextListeners?.abort();
        await nextPlugins?.abort();
      },
      commit: async () => {
        this.#limits = limits ?? this.#limits;
        this.#core.setLimits(this.#limits);
        const changed = nextListeners?.commit();
        const takeOver = (): void => {
          this.#compileChains();
          changed?.announce();
          if (nextPlugins !== undefined || changed?.rulesDiffer === true) this.rulesChanged();
        };
        const ended = nextPlugins?.commit(takeOver) ?? takeOver();
        await changed?.closed;
        await ended;
      },
    };
  }

  /** @throws BrokerError ERR_BROKER_CONFIG */
  #settled(change: BrokerChange, caller: string): ReturnType<typeof settleReplacement> {
    return settleReplacement(change, { listeners: this.#listeners.options(), plugins: this.#plugins.named }, caller);
  }

  /** @throws PluginError when the plugins of a listener conflict */
  #tryChains(plugins: Pick<PluginHost, "chain">, listeners: BrokerChange["listeners"]): void {
    for (const { plugins: members } of Object.values(listeners ?? this.#listeners.options())) {
      plugins.chain(members, this.#events.hooks());
    }
  }

  /** The broker's present limits. */
  get limits(): BrokerLimits {
    return this.#limits;
  }

  /**
   * Replaces the broker's limits: what is not given has its default, as with `createBroker`. An open connection keeps
   * the limits that it began with. To change one limit: `setLimits({ ...broker.limits, maxSessions: 5 })`.
   */
  setLimits(limits: Partial<BrokerLimits>): void {
    this.#limits = settleLimits(limits, "setLimits()");
    this.#core.setLimits(this.#limits);
    this.#listeners.refresh();
  }

  /**
   * Replaces the plugins. One that is the same object goes on; the new ones start before the old ones are closed, as at
   * a shutdown. Clients stay and are checked again.
   * @throws PluginError; nothing has changed then
   */
  async setPlugins(plugins: readonly Plugin[]): Promise<void> {
    this.#settled({ plugins }, "setPlugins()");
    const prepared = await this.#plugins.prepare(plugins);
    await prepared.commit(() => {
      this.#compileChains();
      this.rulesChanged();
    });
  }

  /**
   * Publishes on behalf of the server: no access rules apply.
   * @returns was there a subscription for it?
   * @throws BrokerError ERR_TOPIC_INVALID, ERR_BROKER_STATE
   */
  publish(topic: string, payload: Uint8Array | string, options: PublishOptions = {}): boolean {
    const message = this.#message(topic, payload, options);
    const { published } = this.#core.router.hooks.observe;
    if (published !== undefined) published(undefined, pluginMessage(message));
    return this.#send(message);
  }

  /**
   * Sets or, with an empty payload, clears a retained message without sending it to subscribers.
   * @throws as `publish`
   */
  retain(topic: string, payload: Uint8Array | string, options: Omit<PublishOptions, "retain"> = {}): void {
    this.#core.router.retain(this.#message(topic, payload, { ...options, retain: true }));
  }

  /**
   * Subscribes on behalf of a client; creates a session that is not connected if there is none.
   * @returns the granted QoS
   */
  subscribe(clientId: string, topicFilter: string, qos: QoS = 0): QoS {
    this.#mustRun("subscribe()");
    mustBeFilter(topicFilter);
    const record: SubscriptionRecord = {
      qos,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      subscriptionIdentifier: undefined,
    };
    const entry = this.#core.registry.get(clientId) ?? this.#offlineSession(clientId);
    this.#core.router.subscribe(entry, topicFilter, record, undefined);
    return qos;
  }

  unsubscribe(clientId: string, topicFilter: string): boolean {
    const entry = this.#core.registry.get(clientId);
    return entry !== undefined && this.#core.router.unsubscribe(entry, topicFilter, undefined);
  }

  /** Closes a client's connection. @returns was it connected? */
  disconnect(
    clientId: string,
    reasonCode: ReasonCode = ReasonCode.AdministrativeAction,
    reasonString?: string,
  ): boolean {
    const connection = this.#core.registry.get(clientId)?.connection;
    connection?.close(reasonCode, reasonString);
    return connection !== undefined;
  }

  /** Ends a session and drops its queue; closes its connection if there is one. */
  removeSession(clientId: string): boolean {
    const { registry, clock } = this.#core;
    const entry = registry.get(clientId);
    if (entry === undefined) return false;
    entry.connection?.close(ReasonCode.AdministrativeAction, "session removed");
    registry.end(entry, "removed", clock.now());
    return true;
  }

  *sessions(): IterableIterator<SessionInfo> {
    for (const entry of this.#core.registry.values()) yield entry.info();
  }

  session(clientId: string): SessionInfo | undefined {
    return this.#core.registry.get(clientId)?.info();
  }

  *clients(): IterableIterator<ClientInfo> {
    for (const { connection } of this.#core.registry.values()) if (connection !== undefined) yield connection.client;
  }

  /** All subscriptions. */
  *subscriptions(): IterableIterator<{ readonly clientId: string; readonly topicFilter: string; readonly qos: QoS }> {
    for (const { session } of this.#core.registry.values()) {
      for (const [topicFilter, { qos }] of session.subscriptions) {
        yield { clientId: session.clientId, topicFilter, qos };
      }
    }
  }

  /** Retained messages: all, or those that match a filter. @throws BrokerError ERR_TOPIC_INVALID */
  retained(filter?: string): IterableIterator<StoredMessage> {
    const { router, clock } = this.#core;
    if (filter !== undefined) mustBeFilter(filter);
    return filter === undefined ? router.retained.all() : router.retained.matching(filter, () => clock.now());
  }

  /** Calls back at an event: any observe hook of the plugin API, by its name. */
  on<Event extends BrokerEvent>(event: Event, listener: ObserveHooks[Event]): this {
    this.#events.on(event, listener);
    return this;
  }

  off<Event extends BrokerEvent>(event: Event, listener: ObserveHooks[Event]): this {
    this.#events.off(event, listener);
    return this;
  }

  /**
   * Call it when access rules have changed: cached verdicts are dropped, connections and subscriptions are checked
   * again.
   */
  rulesChanged(): void {
    recheckAll(this.#core);
  }

  /** Each plugin's opinion about a client's access to a topic. The calls have no other effect. */
  async explain(question: {
    readonly client: ClientInfo | string;
    readonly action: Action;
    readonly topic: string;
  }): Promise<readonly Opinion[]> {
    const { client, action, topic } = question;
    const info =
      typeof client === "string" ? (this.#core.registry.get(client)?.client ?? absentClient(client)) : client;
    const chain = this.#chainOf(info.listener);
    const opinions = (await chain.explain?.(info, action, topic)) ?? [];
    if (action !== "publish" || !topic.startsWith("$")) return opinions;
    const rules = { dollarTopics: this.#options.dollarTopics, served: chain.dollarTopics ?? [] };
    const refusal = refuseReserved(info, { topic, payloadLength: 0, weight: 0 }, rules);
    return refusal === undefined ? opinions : [{ plugin: "broker", decision: "deny", rule: refusal.rule }, ...opinions];
  }

  /** What operators can read of the broker and do to it. */
  get operations(): Operations {
    this.#operations ??= new Operations({
      core: () => this.#core,
      listeners: () => this.#listeners.reports(),
      plugins: () => this.#plugins.reports(),
      watchAnswers: (callback) => {
        this.#plugins.answered = callback;
      },
      chainOf: (listener) => this.#chainOf(listener),
    });
    return this.#operations;
  }

  metrics(): Metrics {
    const core = this.#core;
    const { counters, registry, router, clock } = core;
    return {
      ...measure(counters, registry, router, this.#startedAt, clock.now()),
      hookFailures: this.#plugins.failures,
      outbox: core.outbox?.size ?? 0,
      outboxBytes: core.outbox?.bytes ?? 0,
      timers: core.timers.size,
      /** Bytes of the arena that wait for clients to read them. */
      outputMemory: core.arena.inUse,
    };
  }

  #newHost(): PluginHost {
    const { hookTimeout } = this.#options;
    const clock = this.#options.clock ?? systemClock;
    return new PluginHost(
      this.#logger,
      hookTimeout,
      (name) => pluginContext(this, this.#logger, name),
      () => clock.now(),
    );
  }

  /** The parts that are new for each run of the broker. */
  #wire(): [BrokerCore, Listeners, Housekeeping] {
    const core = new BrokerCore({
      options: this.#options,
      limits: this.#limits,
      clock: this.#options.clock ?? systemClock,
      logger: this.#logger,
      chainOf: (listener) => this.#chainOf(listener),
      observe: this.#everyone.observe,
    });
    const plugins: ListenerPlugins = {
      chain: (members) => this.#plugins.chain(members, this.#events.hooks()),
      authenticators: (members) => this.#plugins.authenticators(members),
    };
    const { ticketSecret } = this.#options;
    const listeners = new Listeners(core, plugins, this.#options.placement, core.cluster, ticketSecret);
    return [core, listeners, new Housekeeping(core)];
  }

  /** For sessions without a connection, and for removed listeners, all plugins decide. */
  #chainOf(listener: string): HookChain {
    return this.#listeners.chain(listener) ?? this.#everyone;
  }

  #compileChains(): void {
    this.#everyone = this.#plugins.everyone(this.#events.hooks());
    this.#core.setObservers(this.#everyone.observe, this.#everyone.authorize !== undefined);
    this.#listeners.refresh();
  }

  #message(topic: string, payload: Uint8Array | string, options: PublishOptions): Message {
    this.#mustRun("publish()");
    const { router, clock } = this.#core;
    const { qos = 0, retain = false, properties = {} } = options;
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : copyBytes(payload);
    const content = withExpiry({ payload: bytes, qos, retain }, properties, clock.now());
    const message = router.message(topic, { ...content, publisher: "" });
    if (message === undefined) throw new BrokerError("ERR_TOPIC_INVALID", `"${topic}" is not a topic name`);
    return message;
  }

  #offlineSession(clientId: string): SessionEntry {
    const { registry, sessionPolicy, clock, sessionFacts } = this.#core;
    const entry = registry.create(absentClient(clientId));
    entry.session.expiryInterval = sessionPolicy.defaultExpiry;
    entry.session.disconnectedAt = clock.now();
    sessionFacts?.remember(entry);
    registry.scheduleExpiry(entry);
    return entry;
  }

  #mustRun(what: string): void {
    if (this.#state !== "started") this.#mustBe("starting", what);
  }

  #mustBe(state: BrokerState, what = "start()"): void {
    if (this.#state !== state) throw new BrokerError("ERR_BROKER_STATE", `${what} while the broker is ${this.#state}`);
  }

  /** Without an event: plugins that count or store messages do not want those of `$SYS`. */
  #send(message: Message): boolean {
    return this.#core.router.publish(message, this.#core.clock.now(), new PublishWaits()) === ReasonCode.Success;
  }

  #observe(event: "brokerStarting" | "brokerStarted" | "brokerStopping" | "brokerStopped"): void {
    this.#core.router.hooks.observe[event]?.();
  }

  get #parts(): RunningParts {
    const [core, listeners, housekeeping, plugins] = [this.#core, this.#listeners, this.#housekeeping, this.#plugins];
    return { core, listeners, housekeeping, plugins, store: this.#options.store, logger: this.#logger };
  }

  async #stop(how: HowToShutDown): Promise<void> {
    await shutDown(this.#parts, how);
    this.#state = "stopped";
  }
}

function mustBeFilter(topicFilter: string): void {
  if (isTopicFilter(topicFilter)) return;
  throw new BrokerError("ERR_TOPIC_INVALID", `"${topicFilter}" is not a topic filter`);
}

/** The same as `new Broker(options)`. @throws BrokerError ERR_BROKER_CONFIG naming the option that is wrong */
export function createBroker(options: BrokerOptions = {}): Broker {
  return new Broker(options);
}
