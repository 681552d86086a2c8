// What an operator may see of a broker that runs, and do to it: the typed door of `@wrenmq/admin` and of embedders with
// tools of their own. Everything here is computed when it is asked for.
import { type QoS, ReasonCode } from "@wrenmq/codec";
import type { HookChain } from "@wrenmq/plugin-api";
import type { StoredMessage } from "@wrenmq/protocol";
import { isTopicName } from "@wrenmq/topics";
import type { DrainOptions, DrainState } from "../connections/drain.ts";
import type { BrokerCore } from "../core.ts";
import type { Ban, BanKind } from "../limits/ban-list.ts";
import type { ListenerReport } from "../listeners/listeners.ts";
import type { PluginReport } from "../plugins/plugin-host.ts";
import { BrokerError } from "../runtime/broker-error.ts";
import { SessionView } from "./session-view.ts";
import { type TopicRecipients, topicRecipients } from "./topic-recipients.ts";

/** Where the parts of the present run of the broker are. */
export interface OperationsSource {
  core(): BrokerCore;
  listeners(): IterableIterator<ListenerReport>;
  plugins(): IterableIterator<PluginReport>;
  chainOf(listener: string): HookChain;
}

export class Operations {
  readonly #source: OperationsSource;

  constructor(source: OperationsSource) {
    this.#source = source;
  }

  /** The time as the broker has it. Epoch milliseconds. */
  now(): number {
    return this.#source.core().clock.now();
  }

  /** All sessions, with and without a connection. It may be read in pieces: the broker may change meanwhile. */
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

  /** Who would get a message, and why others would not. @throws BrokerError ERR_TOPIC_INVALID */
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
   * Keeps clients out until a time, and closes the connections of those who are there: with 0x87 (Not authorized), as
   * DISCONNECT has no code for it; CONNACK says 0x8A (Banned). Kept in memory.
   * @returns how many were disconnected; undefined: there are 10,000 bans already
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

  /** @returns was there one? */
  unban(kind: BanKind, value: string): boolean {
    return this.#source.core().bans.remove(kind, value);
  }

  bans(): IterableIterator<Ban> {
    return this.#source.core().bans.values(this.now());
  }

  /** Lets nobody new in and disconnects who is there at a rate: see `DrainOptions`. */
  startDrain(options?: DrainOptions): void {
    this.#source.core().drain.start(options);
  }

  /** Takes clients again. */
  stopDrain(): void {
    this.#source.core().drain.stop();
  }

  /** undefined: it is not being emptied. */
  get drainState(): DrainState | undefined {
    return this.#source.core().drain.state;
  }

  listeners(): IterableIterator<ListenerReport> {
    return this.#source.listeners();
  }

  plugins(): IterableIterator<PluginReport> {
    return this.#source.plugins();
  }

  /** none: nothing outlives the process; failing: the store refuses what is written, publishers at QoS 1 and 2 get 0x97. */
  get store(): "none" | "ok" | "failing" {
    const { factLog } = this.#source.core();
    if (factLog === undefined) return "none";
    return factLog.failing === undefined ? "ok" : "failing";
  }

  /** Why the store refuses what is written. */
  get storeError(): string | undefined {
    return this.#source.core().factLog?.failing?.message;
  }

  /** Calls back with the milliseconds that the store took for each batch of facts; undefined: nobody wants to know. */
  watchCommits(callback: ((milliseconds: number) => void) | undefined): void {
    const { factLog } = this.#source.core();
    if (factLog !== undefined) factLog.committed = callback;
  }
}
