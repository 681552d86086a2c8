// The broker: its parts wired together, its life from start to shutdown, and what embedders and plugins may ask of it.
import type { Duplex } from "node:stream";
import { type QoS, ReasonCode } from "@wrenmq/codec";
import type {
  Action,
  ClientInfo,
  HookChain,
  Logger,
  ObserveHooks,
  PublishOptions,
  SessionInfo,
} from "@wrenmq/plugin-api";
import {
  Arena,
  Counters,
  copyBytes,
  type Message,
  NEVER,
  Session,
  type StoredMessage,
  TopicTable,
} from "@wrenmq/protocol";
import { StoreError } from "@wrenmq/store";
import { isTopicFilter } from "@wrenmq/topics";
import { type Connection, createListener, fromDuplex, type Listener } from "@wrenmq/transport";
import { type Clock, systemClock } from "./clock.ts";
import { ConnectionDriver } from "./connection-driver.ts";
import { BrokerError } from "./errors.ts";
import { type BrokerEvent, BrokerEvents } from "./events.ts";
import { Flusher } from "./flusher.ts";
import { Journal } from "./journal.ts";
import { type BrokerParts, ListenerContext } from "./listener-context.ts";
import { silentLogger } from "./logger.ts";
import { type Metrics, measure } from "./metrics.ts";
import {
  type BrokerLimits,
  type BrokerOptions,
  DEFAULT_LIMITS,
  type ListenerOptions,
  type SysOptions,
} from "./options.ts";
import { pluginContext } from "./plugin-context.ts";
import { PluginHost } from "./plugin-host.ts";
import { RetainedMessages } from "./retained-messages.ts";
import { Router } from "./router.ts";
import { Routes } from "./routes.ts";
import { type SessionEntry, SessionRegistry } from "./session-registry.ts";
import { isWorthStoring, makeDurable, recordOf, restoreMessage, restoreSession, willFrom } from "./stored-sessions.ts";
import { SysTopics } from "./sys-topics.ts";
import { Timers } from "./timers.ts";
import { VERSION } from "./version.ts";

/** Bytes of the arena: memory is taken page by page as it is used. */
const ARENA_SIZE = 64 * 1024 * 1024;
/** Milliseconds that clients get to read their DISCONNECT at shutdown. */
const SHUTDOWN_GRACE = 3_000;
/** Seconds between two looks for retained messages that have expired. */
const SWEEP_INTERVAL = 60;

export type BrokerState = "new" | "starting" | "started" | "stopping" | "stopped";

interface RunningListener {
  readonly context: ListenerContext;
  readonly listener: Listener | undefined;
  readonly options: ListenerOptions;
}

export class Broker implements AsyncDisposable {
  readonly #options: BrokerOptions;
  readonly #limits: BrokerLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #plugins: PluginHost;
  readonly #events: BrokerEvents;
  readonly #counters = new Counters();
  readonly #timers: Timers;
  readonly #flusher: Flusher;
  readonly #listeners = new Map<string, RunningListener>();
  #state: BrokerState = "new";
  #parts!: BrokerParts;
  #router!: Router;
  #registry!: SessionRegistry;
  #journal: Journal | undefined;
  #startedAt = 0;
  #cpu = process.cpuUsage();
  #cpuAt = 0;

  constructor(options: BrokerOptions = {}) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#timers = new Timers(this.#clock);
    this.#flusher = new Flusher(this.#clock);
    this.#events = new BrokerEvents(() => this.#compileChains());
    this.#plugins = new PluginHost(this.#logger, options.hookTimeout, (name) =>
      pluginContext(this, this.#logger, name),
    );
    this.#wire();
  }

  get state(): BrokerState {
    return this.#state;
  }

  /** Where clients can connect, by the name of the listener: `mqtt://127.0.0.1:1883`. */
  get addresses(): ReadonlyMap<string, string> {
    const addresses = new Map<string, string>();
    for (const [name, { listener }] of this.#listeners)
      if (listener !== undefined) addresses.set(name, listener.address);
    return addresses;
  }

  /** The port of a listener (the one it got, where it asked for any). */
  port(listener: string): number | undefined {
    return this.#listeners.get(listener)?.listener?.port;
  }

  /**
   * Opens the store, starts the plugins, listens.
   * @throws BrokerError ERR_BROKER_STATE, ListenerError, PluginError, StoreError; nothing keeps running then
   */
  async start(): Promise<void> {
    if (this.#state !== "new" && this.#state !== "stopped") {
      throw new BrokerError("ERR_BROKER_STATE", `start() while the broker is ${this.#state}`);
    }
    this.#state = "starting";
    if (this.#startedAt > 0) this.#wire();
    this.#startedAt = this.#clock.now();
    try {
      await this.#openStore();
      await this.#plugins.start(this.#options.plugins ?? []);
      this.#compileChains();
      this.#observe("brokerStarting");
      this.#restore();
      for (const [name, listener] of Object.entries(this.#options.listeners ?? {}))
        await this.addListener(name, listener);
    } catch (error) {
      await this.#stop();
      throw error;
    }
    this.#state = "started";
    this.#startSys();
    this.#repeat(SWEEP_INTERVAL, () => this.#sweep());
    this.#observe("brokerStarted");
  }

  /** Tells every client, closes everything. The broker may be started again. */
  async shutdown(): Promise<void> {
    if (this.#state === "new" || this.#state === "stopped") return;
    if (this.#state !== "started")
      throw new BrokerError("ERR_BROKER_STATE", `shutdown() while the broker is ${this.#state}`);
    this.#state = "stopping";
    this.#observe("brokerStopping");
    await this.#stop();
    this.#observe("brokerStopped");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "started") await this.shutdown();
  }

  /**
   * Serves a byte stream that is already connected.
   * @param listener the name of a listener (of any type, `external` is made for it) whose limits and plugins apply
   * @throws BrokerError ERR_LISTENER_UNKNOWN, ERR_BROKER_STATE
   */
  accept(stream: Duplex | Connection, options: { readonly listener: string }): void {
    const running = this.#listeners.get(options.listener);
    if (running === undefined) {
      throw new BrokerError("ERR_LISTENER_UNKNOWN", `accept(): there is no listener named "${options.listener}"`);
    }
    if (this.#state !== "started")
      throw new BrokerError("ERR_BROKER_STATE", `accept() while the broker is ${this.#state}`);
    const connection = "write" in stream && "info" in stream ? stream : fromDuplex(stream as Duplex, {});
    const driver = this.#connected(connection, running.context);
    if ("attach" in connection && typeof connection.attach === "function") connection.attach(driver);
  }

  /** Listens on one more address. @throws ListenerError */
  async addListener(name: string, options: ListenerOptions): Promise<void> {
    if (this.#listeners.has(name))
      throw new BrokerError("ERR_BROKER_CONFIG", `there is a listener named "${name}" already`);
    const limits = { ...this.#limits, ...options.limits };
    const chain = this.#plugins.chain(options.plugins, this.#events.hooks());
    const context = new ListenerContext(name, this.#parts, limits, options.maxConnections ?? 0, chain);
    if (options.type === "external") {
      this.#listeners.set(name, { context, listener: undefined, options });
      return;
    }
    const { arena } = this.#parts;
    const listener = createListener(options, (connection) => this.#connected(connection, context), {
      readBuffer: { bytes: arena.bytes, start: arena.readStart, length: arena.readLength },
      onError: (error) => this.#logger.warn({ listener: name, error: error.message }, "listener trouble"),
    });
    await listener.listen();
    this.#listeners.set(name, { context, listener, options });
    this.#logger.info({ listener: name, address: listener.address }, "listening");
  }

  /** Stops listening; the listener's clients are told and disconnected. */
  async removeListener(name: string): Promise<boolean> {
    const running = this.#listeners.get(name);
    if (running === undefined) return false;
    this.#listeners.delete(name);
    await running.listener?.close();
    for (const driver of [...running.context.connections]) driver.machine.closeLink(ReasonCode.AdministrativeAction);
    return true;
  }

  /**
   * Publishes on behalf of the server: no access rules apply.
   * @returns did anybody have a subscription for it?
   * @throws BrokerError ERR_TOPIC_INVALID, ERR_BROKER_STATE
   */
  publish(topic: string, payload: Uint8Array | string, options: PublishOptions = {}): boolean {
    const message = this.#message(topic, payload, options.qos ?? 0, options);
    return this.#router.publish(message, this.#clock.now()) === ReasonCode.Success;
  }

  /** Sets or (with an empty payload) clears a retained message without sending it to anybody. */
  retain(topic: string, payload: Uint8Array | string, options: Omit<PublishOptions, "retain"> = {}): void {
    this.#router.retain(this.#message(topic, payload, options.qos ?? 0, { ...options, retain: true }));
  }

  /** Subscribes on behalf of a client; makes a session that is not connected where there is none. */
  subscribe(clientId: string, topicFilter: string, qos: QoS = 0): QoS {
    if (!isTopicFilter(topicFilter))
      throw new BrokerError("ERR_TOPIC_INVALID", `"${topicFilter}" is not a topic filter`);
    const record = {
      qos,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      subscriptionIdentifier: undefined,
    } as const;
    this.#router.subscribe(
      this.#registry.get(clientId) ?? this.#offlineSession(clientId),
      topicFilter,
      record,
      undefined,
    );
    return qos;
  }

  unsubscribe(clientId: string, topicFilter: string): boolean {
    const entry = this.#registry.get(clientId);
    return entry !== undefined && this.#router.unsubscribe(entry, topicFilter, undefined);
  }

  /** Closes a client's connection. */
  disconnect(
    clientId: string,
    reasonCode: ReasonCode = ReasonCode.AdministrativeAction,
    reasonString?: string,
  ): boolean {
    const connection = this.#registry.get(clientId)?.connection;
    connection?.close(reasonCode, reasonString);
    return connection !== undefined;
  }

  /** Ends a session with all that waits in it, and its connection if it has one. */
  removeSession(clientId: string): boolean {
    const entry = this.#registry.get(clientId);
    if (entry === undefined) return false;
    entry.connection?.close(ReasonCode.AdministrativeAction, "session removed");
    this.#registry.end(entry, "removed", this.#clock.now());
    return true;
  }

  *sessions(): IterableIterator<SessionInfo> {
    for (const entry of this.#registry.values()) yield entry.info();
  }

  session(clientId: string): SessionInfo | undefined {
    return this.#registry.get(clientId)?.info();
  }

  *clients(): IterableIterator<ClientInfo> {
    for (const { connection } of this.#registry.values()) if (connection !== undefined) yield connection.client;
  }

  /** Every subscription. */
  *subscriptions(): IterableIterator<{ readonly clientId: string; readonly topicFilter: string; readonly qos: QoS }> {
    for (const { session } of this.#registry.values()) {
      for (const [topicFilter, { qos }] of session.subscriptions)
        yield { clientId: session.clientId, topicFilter, qos };
    }
  }

  /** Retained messages, all or those that a filter matches. */
  retained(filter?: string): IterableIterator<StoredMessage> {
    const { retained } = this.#router;
    return filter === undefined ? retained.all() : retained.matching(filter, () => this.#clock.now());
  }

  on<Event extends BrokerEvent>(event: Event, listener: ObserveHooks[Event]): this {
    this.#events.on(event, listener);
    return this;
  }

  off<Event extends BrokerEvent>(event: Event, listener: ObserveHooks[Event]): this {
    this.#events.off(event, listener);
    return this;
  }

  /** Access rules changed: verdicts are forgotten, live connections and subscriptions are checked again. */
  rulesChanged(): void {
    this.#router.rules++;
    for (const entry of this.#registry.values()) void this.#recheck(entry);
  }

  /** What each plugin says about a client's access to a topic, without consequences. */
  async explain(question: {
    readonly client: ClientInfo | string;
    readonly action: Action;
    readonly topic: string;
  }): Promise<readonly unknown[]> {
    const { client, action, topic } = question;
    const info = typeof client === "string" ? (this.#registry.get(client)?.client ?? nobody(client)) : client;
    return (await this.#chainOf(info.listener).explain?.(info, action, topic)) ?? [];
  }

  metrics(): Metrics {
    const { failures } = this.#plugins;
    const measured = measure(this.#counters, this.#registry, this.#router, this.#startedAt, this.#clock.now());
    return { ...measured, hookFailures: failures };
  }

  /** Everything that a run of the broker begins with empty. */
  #wire(): void {
    const { topics, parts } = this.#makeParts();
    this.#parts = parts;
    this.#router = parts.router;
    this.#registry = parts.registry;
    void topics;
  }

  #makeParts(): { topics: TopicTable; parts: BrokerParts } {
    const limits = this.#limits;
    const topics = new TopicTable({ maxLength: limits.maxTopicLength, maxLevels: limits.maxTopicLevels });
    const now = (): number => this.#clock.now();
    const routes = new Routes(topics, this.#options.shared?.strategy ?? "round-robin");
    const chain = this.#plugins.chain([], {});
    const hooks = { observe: chain.observe, chainOf: (name: string) => this.#chainOf(name) };
    const router = new Router(routes, new RetainedMessages(limits), topics, this.#counters, hooks, now);
    const registry = new SessionRegistry(this.#timers, (clientId) => this.#newSession(clientId), {
      created: (entry) => router.hooks.observe.sessionCreated?.(entry.info()),
      resumed: (entry) => router.hooks.observe.sessionResumed?.(entry.info()),
      takenOver: (entry) => router.hooks.observe.sessionTakenOver?.(entry.info()),
      changed: (entry) => this.#remember(entry),
      ended: (entry, reason) => {
        for (const filter of entry.session.subscriptions.keys()) routes.remove(entry, filter);
        this.#journal?.record({ op: "deleteSession", clientId: entry.session.clientId }, undefined);
        entry.session.facts = undefined;
        router.hooks.observe.sessionEnded?.(entry.info(), reason);
      },
      publishWill: (entry, will) => void this.#publishWill(entry, will),
    });
    const limitOf = this.#limits.maxConnections;
    const parts: BrokerParts = {
      arena: this.#parts?.arena ?? new Arena(Buffer.allocUnsafeSlow(ARENA_SIZE)),
      clock: this.#clock,
      timers: this.#timers,
      counters: this.#counters,
      flusher: this.#flusher,
      journal: this.#journal,
      logger: this.#logger,
      registry,
      router,
      topics,
      sessionPolicy: {
        defaultExpiry: this.#options.session?.defaultExpiry ?? Number.POSITIVE_INFINITY,
        maximumExpiry: this.#options.session?.maximumExpiry ?? Number.POSITIVE_INFINITY,
      },
      responseInformation: this.#options.responseInformation,
      hasRoom: () => limitOf === 0 || registry.connected < limitOf,
    };
    return { topics, parts };
  }

  #newSession(clientId: string): Session {
    const router = (): Router => this.#router;
    const { observe } = this.#router.hooks;
    return new Session({
      clientId,
      limits: this.#limits,
      events: {
        dropped: (session, message, reason) => router().dropped(session, message, reason),
        delivered:
          observe.delivered === undefined
            ? undefined
            : (session, message, qos) => this.#delivered(session, message, qos as QoS),
        acknowledged:
          observe.acknowledged === undefined
            ? undefined
            : (session, packetId) => {
                const client = this.#registry.get(session.clientId)?.client;
                if (client !== undefined) router().hooks.observe.acknowledged?.(client, packetId);
              },
      },
    });
  }

  #delivered(session: Session, message: Message, qos: QoS): void {
    const client = this.#registry.get(session.clientId)?.client;
    if (client === undefined) return;
    const { topic, retain, properties, publisher } = message;
    const payload = copyBytes(message.payload);
    this.#router.hooks.observe.delivered?.(
      client,
      { topic, payload, qos: message.qos, retain, properties, publisher },
      qos,
    );
  }

  #chainOf(listener: string): HookChain {
    return this.#listeners.get(listener)?.context.chain ?? this.#plugins.chain(undefined, {});
  }

  #compileChains(): void {
    const events = this.#events.hooks();
    const all = this.#plugins.chain(undefined, events);
    this.#router.hooks = { ...this.#router.hooks, observe: all.observe };
    this.#router.checksReceivers = all.authorize !== undefined;
    this.#router.rules++;
    for (const { context, options } of this.#listeners.values()) {
      context.chain = options.plugins === undefined ? all : this.#plugins.chain(options.plugins, events);
    }
  }

  #connected(connection: Connection, context: ListenerContext): ConnectionDriver {
    const driver = new ConnectionDriver(connection, context, this.#clock.now());
    context.connectionOpened(driver);
    return driver;
  }

  #message(topic: string, payload: Uint8Array | string, qos: QoS, options: PublishOptions): Message {
    if (this.#state !== "started" && this.#state !== "starting") {
      throw new BrokerError("ERR_BROKER_STATE", `publish() while the broker is ${this.#state}`);
    }
    const { messageExpiryInterval, topicAlias: _alias, ...properties } = options.properties ?? {};
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : copyBytes(payload);
    const message = this.#router.serverMessage(topic, {
      payload: bytes,
      qos,
      retain: options.retain ?? false,
      properties: Object.keys(properties).length > 0 ? properties : undefined,
      expiresAt: messageExpiryInterval === undefined ? NEVER : this.#clock.now() + messageExpiryInterval * 1000,
    });
    if (message === undefined) throw new BrokerError("ERR_TOPIC_INVALID", `"${topic}" is not a topic name`);
    return message;
  }

  #offlineSession(clientId: string): SessionEntry {
    const entry = this.#registry.create(nobody(clientId));
    entry.session.expiryInterval = this.#parts.sessionPolicy.defaultExpiry;
    entry.session.disconnectedAt = this.#clock.now();
    this.#remember(entry);
    this.#registry.scheduleExpiry(entry);
    return entry;
  }

  /** The will is subject to the client's access rules like any other message. */
  async #publishWill(entry: SessionEntry, will: import("@wrenmq/codec").Will): Promise<void> {
    const { client } = entry;
    const { messageExpiryInterval, willDelayInterval: _delay, ...properties } = will.properties ?? {};
    const message = this.#router.serverMessage(will.topic, {
      payload: will.payload,
      qos: will.qos,
      retain: will.retain,
      properties: Object.keys(properties).length > 0 ? properties : undefined,
      expiresAt: messageExpiryInterval === undefined ? NEVER : this.#clock.now() + messageExpiryInterval * 1000,
      publisher: client.clientId,
    });
    if (message === undefined) return;
    const { authorize } = this.#chainOf(client.listener);
    const asked = will.topic.startsWith("$SYS/")
      ? { reasonCode: ReasonCode.NotAuthorized }
      : authorize?.(client, "publish", will.topic);
    const verdict = asked instanceof Promise ? await asked : asked;
    if (verdict !== undefined && verdict.reasonCode >= 0x80) {
      this.#router.dropped(entry.session, message, "notAuthorized");
      return;
    }
    this.#router.hooks.observe.published?.(client, message);
    this.#router.publish(message, this.#clock.now());
  }

  async #recheck(entry: SessionEntry): Promise<void> {
    const { connection, session, client } = entry;
    const chain = this.#chainOf(client.listener);
    if (connection !== undefined) {
      const verdict = await chain.authorizeConnect?.(client);
      if (verdict !== undefined && verdict.reasonCode >= 0x80)
        connection.close(verdict.reasonCode, verdict.reasonString);
    }
    if (chain.authorize === undefined) return;
    for (const filter of [...session.subscriptions.keys()]) {
      const plain = filter.startsWith("$share/") ? filter.split("/").slice(2).join("/") : filter;
      const verdict = await chain.authorize(client, "subscribe", plain);
      if (verdict.reasonCode < 0x80 || entry.ended) continue;
      this.#logger.info(
        { clientId: client.clientId, filter, rule: verdict.rule },
        "subscription ended by a changed rule",
      );
      this.#router.unsubscribe(entry, filter, undefined);
      this.#router.hooks.observe.unsubscribed?.(client, filter);
    }
  }

  // ── durability ────────────────────────────────────────────────────────────────────────────────────────────────────

  async #openStore(): Promise<void> {
    const { store } = this.#options;
    if (store === undefined) return;
    await store.open();
    this.#journal = new Journal(
      store,
      this.#timers,
      this.#logger,
      () => this.#clock.now(),
      () => this.#flusher.wake(),
    );
    this.#flusher.journal = this.#journal;
    this.#router.journal = this.#journal;
    this.#parts = { ...this.#parts, journal: this.#journal };
  }

  #restore(): void {
    const { store } = this.#options;
    const journal = this.#journal;
    if (store === undefined || journal === undefined) return;
    const { topics } = this.#parts;
    const now = this.#clock.now();
    for (const stored of store.retained()) {
      const message = restoreMessage(topics, stored, 0);
      if (message === undefined || message.hasExpired(now))
        journal.record({ op: "deleteRetained", topic: stored.topic }, undefined);
      else this.#router.retained.set(message);
    }
    const restored: [SessionEntry, ReturnType<typeof willFrom> | undefined][] = [];
    for (const snapshot of store.sessions()) {
      const { record } = snapshot;
      const entry = this.#registry.create({ ...nobody(record.clientId), username: record.username });
      makeDurable(entry.session, store, journal, topics);
      restoreSession(entry.session, snapshot, store, topics, now);
      for (const [filter, subscription] of snapshot.subscriptions) {
        this.#router.routes.add(entry, filter, subscription);
        entry.session.subscriptions.set(filter, subscription);
      }
      restored.push([entry, record.will && willFrom(record.will)]);
    }
    // Wills go out when every session is there to have them.
    for (const [entry, will] of restored) {
      const since = entry.session.disconnectedAt ?? now;
      if (will !== undefined) this.#registry.restoreWill(entry, will, since, now);
      if (since + entry.session.expiryInterval * 1000 <= now) this.#registry.end(entry, "expired", now);
      else {
        this.#remember(entry);
        this.#registry.scheduleExpiry(entry);
      }
    }
    this.#logger.info(
      { sessions: this.#registry.size, retained: this.#router.retained.size },
      "restored from the store",
    );
  }

  /** Writes down what the session's record says now, if it is to outlive the process. */
  #remember(entry: SessionEntry): void {
    const { store } = this.#options;
    const journal = this.#journal;
    if (store === undefined || journal === undefined || entry.ended) return;
    const { session } = entry;
    const lasts = session.expiryInterval > 0;
    if (lasts && session.facts === undefined) makeDurable(session, store, journal, this.#parts.topics);
    const outbox = (entry.connection as ConnectionDriver | undefined)?.outbox;
    if (isWorthStoring(entry)) journal.record({ op: "putSession", record: recordOf(entry) }, outbox);
    else if (session.facts !== undefined) {
      // Resumed by a client that wants it to end with this connection: nothing of it is kept any longer.
      session.facts = undefined;
      journal.record({ op: "deleteSession", clientId: session.clientId }, outbox);
    }
  }

  // ── housekeeping ──────────────────────────────────────────────────────────────────────────────────────────────────

  #observe(event: "brokerStarting" | "brokerStarted" | "brokerStopping" | "brokerStopped"): void {
    this.#router.hooks.observe[event]?.();
  }

  #startSys(): void {
    const sys: SysOptions = { interval: 20, names: "amqtt", ...this.#options.sys };
    if (sys.interval <= 0) return;
    const topics = new SysTopics(sys.names, VERSION, this.#startedAt);
    const tell = (values: [string, string][]): void => {
      for (const [topic, payload] of values) this.publish(topic, payload, { retain: true });
    };
    tell(topics.fixed());
    const publish = (): void => tell(topics.values(this.metrics(), this.#processUse(), this.#clock.now()));
    publish();
    this.#repeat(sys.interval, publish);
  }

  #processUse(): { heapUsed: number; cpuPercent: number } {
    const used = process.cpuUsage(this.#cpu);
    const now = this.#clock.now();
    const elapsed = Math.max(1, now - this.#cpuAt);
    this.#cpu = process.cpuUsage();
    const cpuPercent = this.#cpuAt === 0 ? 0 : (used.user + used.system) / 10 / elapsed;
    this.#cpuAt = now;
    return { heapUsed: process.memoryUsage().heapUsed, cpuPercent };
  }

  #repeat(seconds: number, action: () => void): void {
    const again = (now: number): void => {
      if (this.#state !== "started") return;
      action();
      this.#timers.at(now + seconds * 1000, again);
    };
    this.#timers.at(this.#clock.now() + seconds * 1000, again);
  }

  #sweep(): void {
    for (const topic of this.#router.retained.sweep(this.#clock.now())) {
      this.#journal?.record({ op: "deleteRetained", topic }, undefined);
    }
  }

  async #stop(): Promise<void> {
    const open: ConnectionDriver[] = [];
    for (const { listener, context } of this.#listeners.values()) {
      await listener?.close();
      open.push(...context.connections);
    }
    for (const driver of open) driver.machine.closeLink(ReasonCode.ServerShuttingDown);
    this.#flusher.run();
    await this.#connectionsGone(open);
    this.#listeners.clear();
    await this.#plugins.close();
    await this.#journal?.drain();
    this.#timers.clear();
    this.#flusher.journal = undefined;
    this.#router.journal = undefined;
    this.#journal = undefined;
    try {
      await this.#options.store?.close();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#logger.error({ code: error.code, error: error.message }, "the store did not close");
    }
    this.#registry.clear();
    this.#state = "stopped";
  }

  /** Until every client has read its last words, or the grace is over. */
  async #connectionsGone(open: readonly ConnectionDriver[]): Promise<void> {
    if (open.length === 0) return;
    const grace = this.#clock.now() + SHUTDOWN_GRACE;
    while (open.some((driver) => driver.context.connections.has(driver)) && this.#clock.now() < grace) {
      await new Promise<void>((resolve) => setTimeout(resolve, 5));
    }
    for (const driver of open) driver.transport.destroy();
  }
}

/** A client of which only the identifier is known. */
function nobody(clientId: string): ClientInfo {
  return {
    clientId,
    username: undefined,
    protocolVersion: 5,
    cleanStart: false,
    keepAlive: 0,
    listener: "",
    remoteAddress: "",
    remotePort: undefined,
    secure: false,
    certificate: undefined,
    userProperties: [],
    connectedAt: 0,
    attributes: {},
  };
}

export function createBroker(options: BrokerOptions = {}): Broker {
  return new Broker(options);
}
