// What operators can read of a running broker and do to it: the typed interface for `@wrenmq/admin` and for tools of
// embedders. Everything is computed when it is called.
import type { ClusterReport, ClusterSteering } from "@wrenmq/cluster";
import { type QoS, ReasonCode } from "@wrenmq/codec";
import type { HookChain } from "@wrenmq/plugin-api";
import type { StoredMessage } from "@wrenmq/protocol";
import { isShared, isTopicFilter, isTopicName } from "@wrenmq/topics";
import type { ClientTap } from "../connections/connection-taps.ts";
import type { DrainOptions, DrainState } from "../connections/drain.ts";
import type { BrokerCore } from "../core.ts";
import type { Ban, BanKind } from "../limits/ban-list.ts";
import type { ListenerReport } from "../listeners/listeners.ts";
import type { HookAnswer, PluginReport } from "../plugins/plugin-host.ts";
import { MessageWatch } from "../routing/message-watch.ts";
import { BrokerError } from "../runtime/broker-error.ts";
import type { MessageTap } from "../sessions/message-taps.ts";
import { SessionView } from "./session-view.ts";
import { type TopicRecipients, topicRecipients } from "./topic-recipients.ts";

/** The parts of the broker while it runs. */
export interface OperationsSource {
  core(): BrokerCore;
  listeners(): IterableIterator<ListenerReport>;
  plugins(): IterableIterator<PluginReport>;
  chainOf(listener: string): HookChain;
  watchAnswers(callback: ((answer: HookAnswer) => void) | undefined): void;
}

export class Operations {
  readonly #source: OperationsSource;
  readonly #whenStopping = new Set<() => void>();
  /** With what ends each. */
  readonly #latencyWatches = new Map<(milliseconds: number) => void, () => void>();
  #commitWatch: ((milliseconds: number) => void) | undefined;

  constructor(source: OperationsSource) {
    this.#source = source;
  }

  /** The broker's time. Epoch milliseconds. */
  now(): number {
    return this.#source.core().clock.now();
  }

  /** The cluster that this broker is a member of, if it is one. */
  get cluster(): ClusterReport | undefined {
    return this.#source.core().cluster?.bus.report();
  }

  /** Changes of the cluster that this broker is a member of, if it is one. */
  get steering(): ClusterSteering | undefined {
    return this.#source.core().cluster?.bus.steering;
  }

  /** All sessions, connected or not. The iterator may be read in pieces while the broker changes. */
  *sessions(): IterableIterator<SessionView> {
    for (const entry of this.#source.core().registry.values()) yield new SessionView(entry);
  }

  session(clientId: string): SessionView | undefined {
    const entry = this.#source.core().registry.get(clientId);
    return entry && new SessionView(entry);
  }

  /** The retained message of one topic. */
  retainedAt(topic: string): StoredMessage | undefined {
    const { router, clock } = this.#source.core();
    const message = router.retained.get(topic);
    return message?.hasExpired(clock.now()) === true ? undefined : message;
  }

  /**
   * Who would receive a message, and why others would not.
   * @throws BrokerError ERR_TOPIC_INVALID
   */
  recipients(
    message: { readonly topic: string; readonly qos?: QoS; readonly publisher?: string },
    limit: number = 1_000,
  ): Promise<TopicRecipients> {
    const { topic, qos = 1, publisher = "" } = message;
    if (!isTopicName(topic)) throw new BrokerError("ERR_TOPIC_INVALID", `"${topic}" is not a topic name`);
    const { routes } = this.#source.core().router;
    const chainOf = (listener: string): HookChain => this.#source.chainOf(listener);
    return topicRecipients({ routes, chainOf }, { topic, qos, publisher }, limit);
  }

  /**
   * Calls back with each message that is published at this broker to a topic that matches, by a client, a plugin or the
   * server; not with those that other brokers forward. The message is valid during the call only.
   * @param filter as in a subscription, without `$share`: `#` does not match topics that begin with `$`
   * @returns ends it
   * @throws BrokerError ERR_TOPIC_INVALID
   */
  watchMessages(filter: string, callback: (message: StoredMessage) => void): () => void {
    if (!isTopicFilter(filter) || isShared(filter)) {
      throw new BrokerError("ERR_TOPIC_INVALID", `"${filter}" is not a topic filter that can be watched`);
    }
    const { routes } = this.#source.core().router;
    const watch = new MessageWatch(callback);
    routes.addWatch(watch, filter);
    return () => routes.removeWatch(watch, filter);
  }

  /**
   * Follows a client: its packets, and what is decided about them. Connections that it opens later are followed too. Only
   * this client's connections become slower.
   * @returns ends it
   */
  tapClient(clientId: string, tap: ClientTap): () => void {
    const { connectionTaps } = this.#source.core();
    connectionTaps.add(clientId, tap);
    return () => connectionTaps.delete(clientId, tap);
  }

  /**
   * Follows messages to their recipients: sent, queued, dropped. Called for every session, so it must be quick.
   * @returns ends it
   */
  tapMessages(tap: MessageTap): () => void {
    const { messageTaps } = this.#source.core();
    messageTaps.add(tap);
    return () => messageTaps.delete(tap);
  }

  /** How many would get a message of a topic. */
  routeOf(topic: string): { readonly sessions: number; readonly groups: number; readonly peers: number } {
    const { recipients, groups, peers } = this.#source.core().router.routes.lookUp(topic);
    return { sessions: recipients.length, groups: groups.length, peers: peers?.length ?? 0 };
  }

  /**
   * Bans clients until a time, and disconnects those that are connected: with 0x87 (Not authorized), as DISCONNECT has
   * no other code for it; CONNACK has 0x8A (Banned). Kept in memory.
   * @returns the number of disconnected clients; undefined: there are 10,000 bans already
   */
  ban(ban: Ban): number | undefined {
    const { bans, registry } = this.#source.core();
    if (!bans.add(ban, this.now())) return undefined;
    let count = 0;
    const entries = ban.kind === "clientId" ? [registry.get(ban.value)] : registry.values();
    for (const entry of entries) {
      if (entry?.connection === undefined || bans.find(entry.client, this.now()) === undefined) continue;
      count++;
      entry.connection.close(ReasonCode.Banned, ban.reason);
    }
    return count;
  }

  /** @returns was there such a ban? */
  unban(kind: BanKind, value: string): boolean {
    return this.#source.core().bans.remove(kind, value);
  }

  bans(): IterableIterator<Ban> {
    return this.#source.core().bans.values(this.now());
  }

  /** Refuses new clients and disconnects the others at a rate: see `DrainOptions`. */
  startDrain(options?: DrainOptions): void {
    this.#source.core().drain.start(options);
  }

  /** Accepts clients again. */
  stopDrain(): void {
    this.#source.core().drain.stop();
  }

  /** undefined: the broker is not drained */
  get drainState(): DrainState | undefined {
    return this.#source.core().drain.state;
  }

  listeners(): IterableIterator<ListenerReport> {
    return this.#source.listeners();
  }

  plugins(): IterableIterator<PluginReport> {
    return this.#source.plugins();
  }

  /**
   * none: there is no store; failing: the store refuses writes, and publishers at QoS 1 and 2 get 0x97 (Quota
   * exceeded).
   */
  get store(): "none" | "ok" | "failing" {
    const { factLog } = this.#source.core();
    if (factLog === undefined) return "none";
    return factLog.failing === undefined ? "ok" : "failing";
  }

  /** Why the store refuses writes; undefined: it does not. */
  get storeError(): string | undefined {
    return this.#source.core().factLog?.failing?.message;
  }

  /**
   * Calls back once when the broker is about to stop. Unlike the event `brokerStopping` it compiles no hooks anew.
   * @returns takes the callback back
   */
  onceStopping(callback: () => void): () => void {
    this.#whenStopping.add(callback);
    return () => this.#whenStopping.delete(callback);
  }

  /** @internal the broker has been started again, with new parts: who measures goes on */
  restarts(): void {
    const { core } = this.#source;
    for (const callback of this.#latencyWatches.keys()) {
      this.#latencyWatches.set(callback, core().watchLatency(callback));
    }
    this.watchCommits(this.#commitWatch);
  }

  /** @internal */
  stops(): void {
    const callbacks = [...this.#whenStopping];
    this.#whenStopping.clear();
    for (const callback of callbacks) callback();
  }

  /**
   * Calls back with samples of the time that messages of clients take through this broker, in milliseconds: from the
   * read that holds the PUBLISH to the last write to a subscriber, with the answers of plugins and the commit of the
   * store between. Waiting for clients that do not read, and messages that go only to other brokers, are not measured.
   * At most 200 samples a second; in between a read of a socket costs one comparison.
   * @returns ends it
   */
  watchLatency(callback: (milliseconds: number) => void): () => void {
    this.#latencyWatches.set(callback, this.#source.core().watchLatency(callback));
    return () => {
      this.#latencyWatches.get(callback)?.();
      this.#latencyWatches.delete(callback);
    };
  }

  /** Calls back with the time of each promise that a hook of a plugin has returned; undefined ends this. */
  watchAnswers(callback: ((answer: HookAnswer) => void) | undefined): void {
    this.#source.watchAnswers(callback);
  }

  /** Calls back with the milliseconds that the store has taken for each batch of facts; undefined ends this. */
  watchCommits(callback: ((milliseconds: number) => void) | undefined): void {
    this.#commitWatch = callback;
    const { factLog } = this.#source.core();
    if (factLog !== undefined) factLog.committed = callback;
  }
}
