// From one message to everybody who is to have it: retained, matched, allowed, delivered.
import type { ForwardRun, ForwardTicket } from "@wrenmq/cluster";
import { ReasonCode } from "@wrenmq/codec";
import type { HookChain, PluginMessage } from "@wrenmq/plugin-api";
import {
  type Counters,
  copyBytes,
  countDrop,
  type DeliveryOptions,
  type DropReason,
  Message,
  type Millis,
  type Outbox,
  type Session,
  type StoredMessage,
  type SubscriptionRecord,
  type TopicTable,
} from "@wrenmq/protocol";
import type { ClusterNode } from "../clustering/cluster-node.ts";
import type { FactLog } from "../persistence/fact-log.ts";
import type { SessionEntry } from "../sessions/session-registry.ts";
import type { Recipient } from "./recipient.ts";
import { RetainedDelivery } from "./retained-delivery.ts";
import type { RetainedMessages } from "./retained-messages.ts";
import type { RouteTable } from "./route-table.ts";
import type { SharedGroup } from "./shared-groups.ts";

/** What the plugins say about receiving, and who watches. Swapped as a whole when plugins change. */
export interface RouterHooks {
  readonly observe: HookChain["observe"];
  /** The chain of the listener that a client came by. */
  chainOf(listener: string): HookChain;
}

export class Router {
  readonly routes: RouteTable;
  readonly retained: RetainedMessages;
  readonly topics: TopicTable;
  readonly counters: Counters;
  factLog: FactLog | undefined = undefined;
  hooks: RouterHooks;
  /** Does any plugin decide about topics? */
  checksReceivers: boolean = false;
  /** Grows when access rules change. */
  rules: number = 0;
  /** After `publish`: a session whose queue is over its bound because of it. */
  congested: Session | undefined = undefined;
  /** After `publish`: deliveries that wait for a plugin's answer, each with the session that it made congested. */
  pendingAuthorization: Promise<Session | undefined>[] | undefined = undefined;
  /** After `publish`: peers that have not said yet what became of the message. */
  forwarding: ForwardTicket | ForwardRun | undefined = undefined;
  /** After `publish`: a peer does not take as much as it is sent. */
  peerBackpressure: boolean = false;
  /** Given when other brokers act as one with this one. */
  cluster: ClusterNode | undefined = undefined;
  /** Told of defects in what happens later than the call that caused it. */
  defect: (error: unknown) => void = () => {};
  readonly #now: () => Millis;

  constructor(
    routes: RouteTable,
    retained: RetainedMessages,
    topics: TopicTable,
    counters: Counters,
    hooks: RouterHooks,
    now: () => Millis,
  ) {
    this.routes = routes;
    this.retained = retained;
    this.topics = topics;
    this.counters = counters;
    this.hooks = hooks;
    this.#now = now;
  }

  /** @returns a reason code: 0x00, 0x10 (nobody is there) or a refusal */
  publish(message: Message, now: Millis): ReasonCode {
    this.congested = undefined;
    this.pendingAuthorization = undefined;
    if (this.cluster !== undefined) return this.cluster.publish(message, now);
    if (message.retain) {
      const refused = this.setRetained(message);
      if (refused !== undefined) return refused;
    }
    const { recipients, groups } = this.routes.find(message.target);
    this.deliverAll(recipients, message, now);
    for (const group of groups) this.deliverShared(group, message, now);
    return recipients.length + groups.length > 0 ? ReasonCode.Success : ReasonCode.NoMatchingSubscribers;
  }

  /** Forgets what the last message left to wait for. */
  beginPublish(): void {
    this.congested = undefined;
    this.pendingAuthorization = undefined;
    this.forwarding = undefined;
    this.peerBackpressure = false;
  }

  deliverAll(recipients: readonly Recipient[], message: Message, now: Millis): void {
    if (this.checksReceivers) {
      for (const recipient of recipients) this.#deliverIfAllowed(recipient, message, now);
    } else {
      for (const recipient of recipients) this.#deliver(recipient, message, now);
    }
  }

  /** To the one of the group's members here whose turn it is. */
  deliverShared(group: SharedGroup, message: Message, now: Millis): void {
    const member = group.choose(message.publisher);
    if (member === undefined) return;
    if (!this.checksReceivers) this.#deliver(member, message, now);
    else this.#deliverIfAllowed(this.routes.find(message.target).checked(member), message, now);
  }

  /**
   * @param outbox where the answer to the client waits until the subscription is durable
   * @returns is it one that the session did not have?
   */
  subscribe(
    entry: SessionEntry,
    filter: string,
    subscription: SubscriptionRecord,
    outbox: Outbox | undefined,
  ): boolean {
    const { session } = entry;
    const isNew = this.routes.add(entry, filter, subscription);
    session.setSubscription(filter, subscription);
    if (session.facts !== undefined) {
      this.factLog?.record({ op: "putSubscription", clientId: session.clientId, filter, subscription }, outbox);
    }
    return isNew;
  }

  /** @returns was there one? */
  unsubscribe(entry: SessionEntry, filter: string, outbox: Outbox | undefined): boolean {
    const { session } = entry;
    if (!session.deleteSubscription(filter)) return false;
    this.routes.remove(entry, filter);
    if (session.facts !== undefined) {
      this.factLog?.record({ op: "deleteSubscription", clientId: session.clientId, filter }, outbox);
    }
    return true;
  }

  /** Publishes in the middle of whatever else is going on, without a say in who waits for whom. */
  publishAside(message: Message, now: Millis): ReasonCode {
    const { congested, pendingAuthorization, forwarding, peerBackpressure } = this;
    const outcome = this.publish(message, now);
    this.congested = congested;
    this.pendingAuthorization = pendingAuthorization;
    this.forwarding = forwarding;
    this.peerBackpressure = peerBackpressure;
    return outcome;
  }

  /** A message that came by no connection. undefined: `topic` is not a topic name. */
  message(topic: string, content: Omit<StoredMessage, "topic">): Message | undefined {
    const target = this.topics.find(topic);
    return target && Message.of(target, content);
  }

  /** The retained messages for a new subscription: each call of `next` delivers one. */
  replay(entry: SessionEntry, filter: string, record: SubscriptionRecord): RetainedDelivery {
    return new RetainedDelivery(this, entry, filter, record);
  }

  dropped(session: Session, message: StoredMessage, reason: DropReason): void {
    countDrop(this.counters, reason);
    this.hooks.observe.dropped?.(session.clientId, pluginMessage(message), reason);
  }

  /** Sets or clears a retained message here. @returns a refusal, if it is one */
  setRetained(message: Message): ReasonCode | undefined {
    if (message.payloadLength === 0) {
      this.clearRetained(message.topic); // [MQTT-3.3.1-6]
      return undefined;
    }
    if (!this.retained.set(message)) {
      countDrop(this.counters, "storeFull");
      this.hooks.observe.dropped?.(message.publisher, pluginMessage(message), "storeFull");
      return ReasonCode.QuotaExceeded;
    }
    this.#writeRetained(message);
    this.hooks.observe.retained?.(pluginMessage(message));
    return undefined;
  }

  /** Sets or clears a retained message without sending it to anybody. */
  retain(message: Message): ReasonCode | undefined {
    return this.cluster === undefined ? this.setRetained(message) : this.cluster.retain(message, this.#now());
  }

  /** Sets or clears what another broker has set or cleared. @returns false: there is no room for it */
  replicateRetained(message: Message): boolean {
    if (message.payloadLength > 0) {
      if (!this.retained.set(message)) return false;
      this.#writeRetained(message);
    } else if (this.retained.delete(message.topic)) this.#eraseRetained(message.topic);
    return true;
  }

  clearRetained(topic: string): void {
    if (!this.retained.delete(topic)) return;
    this.#eraseRetained(topic);
    this.hooks.observe.retainedCleared?.(topic);
  }

  #writeRetained(message: Message): void {
    // What the server tells of itself is told anew by the next one.
    if (message.topic.startsWith("$SYS/") || this.cluster?.keeps(message.topic) === false) return;
    this.factLog?.record({ op: "putRetained", message }, undefined);
  }

  #eraseRetained(topic: string): void {
    if (this.cluster?.keeps(topic) !== false) this.factLog?.record({ op: "deleteRetained", topic }, undefined);
  }

  #deliver(recipient: Recipient, message: Message, now: Millis): void {
    let as: Recipient | null = recipient;
    const { session } = recipient.entry;
    if (recipient.own !== undefined && message.publisher === session.clientId) as = recipient.own;
    if (as === null) return;
    if (session.deliver(message, as.options(message.qos, message.retain), now)) this.congested = session;
  }

  #deliverIfAllowed(recipient: Recipient, message: Message, now: Millis): void {
    let as: Recipient | null = recipient;
    if (recipient.own !== undefined && message.publisher === recipient.entry.session.clientId) as = recipient.own;
    if (as === null) return;
    this.deliverAs(recipient, message, as.options(message.qos, message.retain), now);
  }

  /** @returns is the session congested now? */
  deliverAs(recipient: Recipient, message: Message, options: DeliveryOptions, now: Millis): boolean {
    const { entry } = recipient;
    const { session } = entry;
    const { authorize } = this.hooks.chainOf(entry.client.listener);
    if (authorize !== undefined) {
      let allowed = recipient.verdict(this.rules);
      if (allowed === undefined) {
        const verdict = authorize(entry.client, "receive", message.topic);
        if (verdict instanceof Promise) {
          const { rules } = this;
          const { client } = entry;
          const later = verdict.then(({ reasonCode }) => recipient.cacheVerdict(reasonCode < 0x80, client, rules));
          this.#deliverLater(entry, message, options, later);
          return false;
        }
        allowed = recipient.cacheVerdict(verdict.reasonCode < 0x80, entry.client, this.rules);
      }
      if (entry.pendingAuthorization !== undefined) {
        this.#deliverLater(entry, message, options, allowed);
        return false;
      }
      if (!allowed) {
        this.dropped(session, message, "notAuthorized");
        return false;
      }
    }
    const congested = session.deliver(message, options, now);
    if (congested) this.congested = session;
    return congested;
  }

  /** A plugin has to think, or thinks about an earlier message still: one after the other, whoever answers first. */
  #deliverLater(
    entry: SessionEntry,
    message: Message,
    options: DeliveryOptions,
    allowed: boolean | Promise<boolean>,
  ): void {
    const { session } = entry;
    if (options.qos === 0 && entry.pendingAuthorizations >= MOST_UNDECIDED) {
      this.dropped(session, message, "blocked");
      return;
    }
    message.keep();
    entry.pendingAuthorizations++;
    const before = entry.pendingAuthorization ?? Promise.resolve();
    const after = before.then(async () => {
      const isAllowed = await allowed;
      entry.pendingAuthorizations--;
      if (entry.pendingAuthorization === after) entry.pendingAuthorization = undefined;
      if (entry.ended) return undefined;
      try {
        const now = this.#now();
        if (!isAllowed) this.dropped(session, message, "notAuthorized");
        else if (message.hasExpired(now))
          this.dropped(session, message, "expired"); // [MQTT-3.3.2-5]
        else if (session.deliver(message, options, now)) return session;
      } catch (error) {
        this.defect(error);
      }
      return undefined;
    });
    entry.pendingAuthorization = after;
    this.pendingAuthorization ??= [];
    this.pendingAuthorization.push(after);
  }
}

/** QoS 0 messages for one session that may wait for a plugin's answer; others are limited by their publishers' quota. */
const MOST_UNDECIDED = 1_000;

/** A message for a plugin's hands: it may keep it. */
export function pluginMessage(message: StoredMessage): PluginMessage {
  const { topic, qos, retain, properties, publisher } = message;
  return { topic, payload: copyBytes(message.payload), qos, retain, properties, publisher };
}
