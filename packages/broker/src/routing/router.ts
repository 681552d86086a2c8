// Routes a message to everyone who gets it: retains, matches, authorizes, delivers, forwards.
import type { Peer } from "@wrenmq/cluster";
import { ReasonCode } from "@wrenmq/codec";
import type { DropSide, HookChain } from "@wrenmq/plugin-api";
import {
  type Counters,
  countDrop,
  type DeliveryOptions,
  DeliveryResult,
  type DropReason,
  Message,
  type Millis,
  type Outbox,
  type StoredMessage,
  type SubscriptionRecord,
  type TopicTable,
} from "@wrenmq/protocol";
import type { FactLog } from "../persistence/fact-log.ts";
import type { MessageOutbox } from "../persistence/message-outbox.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";
import type { Undelivered } from "../sessions/undelivered.ts";
import { type Forwarder, NO_PEERS } from "./forwarder.ts";
import { callWatches } from "./message-watch.ts";
import { pluginMessage } from "./plugin-message.ts";
import { PublishWaits } from "./publish-waits.ts";
import type { Recipient } from "./recipient.ts";
import type { RetainedMessages } from "./retained-messages.ts";
import type { RouteTable } from "./route-table.ts";
import type { SharedGroup } from "./shared-groups.ts";

/** Hooks about receiving, and observers. Replaced as a whole when plugins change. */
export interface RouterHooks {
  readonly observe: HookChain["observe"];
  /** The chain of the listener that a client has used. */
  chainOf(listener: string): HookChain;
}

export class Router {
  readonly routes: RouteTable;
  readonly retained: RetainedMessages;
  readonly topics: TopicTable;
  readonly counters: Counters;
  factLog: FactLog | undefined = undefined;
  /** Set with the fact log. */
  outbox: MessageOutbox | undefined = undefined;
  hooks: RouterHooks;
  /** Does any plugin decide about topics? */
  checksReceivers: boolean = false;
  /** Grows when access rules change. */
  rules: number = 0;
  /** Other brokers that act as one with this one. */
  forwarder: Forwarder = NO_PEERS;
  /** Called with errors in deliveries that happen after the call that has caused them. */
  defect: (error: unknown) => void = () => {};
  /** Records what sessions lose; undefined without the option `dropHistory`. */
  dropRecorder: ((clientId: string, message: StoredMessage, reason: DropReason, side: DropSide) => void) | undefined =
    undefined;
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

  /**
   * Retains, matches, delivers and forwards a message.
   * @param waits is filled with what an acknowledgement of the message waits for
   * @returns 0x00, 0x10 (no matching subscribers) or a refusal
   */
  publish(message: Message, now: Millis, waits: PublishWaits): ReasonCode {
    if (!waits.isEmpty) waits.clear();
    const { forwarder } = this;
    const route = this.routes.find(message.target);
    if (message.qos > 0) {
      const outcome = forwarder.admit(message, route, waits);
      if (outcome !== undefined) return outcome;
    }
    const { recipients, groups, peers } = route;
    let retainedAt = 0;
    if (message.retain) {
      retainedAt = forwarder.stampRetained(now);
      const refused = this.setRetained(message, retainedAt, waits);
      if (refused !== undefined) return refused;
    }
    if (route.watches !== undefined) callWatches(route.watches, message, this.defect);
    this.deliverAll(recipients, message, now, waits);
    let isWantedHere = recipients.length > 0;
    let elsewhere: Map<Peer, string[]> | undefined;
    for (const group of groups) {
      const peer = forwarder.chooseSide(group, message.publisher);
      if (peer !== undefined) elsewhere = withGroup(elsewhere, peer, group);
      else {
        this.deliverShared(group, message, now, waits);
        isWantedHere = true;
      }
    }
    if (peers !== undefined || elsewhere !== undefined || message.retain) {
      forwarder.forward(message, { peers, elsewhere, isWantedHere, retainedAt }, now, waits);
    }
    const isWanted = isWantedHere || peers !== undefined || elsewhere !== undefined;
    return isWanted ? ReasonCode.Success : ReasonCode.NoMatchingSubscribers;
  }

  deliverAll(recipients: readonly Recipient[], message: Message, now: Millis, waits: PublishWaits): void {
    if (this.checksReceivers) {
      for (const recipient of recipients) this.#deliverIfAllowed(recipient, message, now, waits);
    } else {
      for (const recipient of recipients) this.#deliver(recipient, message, now, waits);
    }
  }

  /** Delivers messages of an ended session of shared subscriptions to other members. [MQTT5 4.8.2] */
  reassignAll(clientId: string, undelivered: readonly Undelivered[], now: Millis): void {
    for (const { message, sharedFilter } of undelivered) {
      if (message.hasExpired(now)) this.dropped(clientId, message, "expired", "subscriber");
      else if (!this.reassign(sharedFilter, message, now))
        this.dropped(clientId, message, "sessionEnded", "subscriber");
    }
  }

  /** @returns false: the shared subscription has no other member */
  reassign(filter: string, message: Message, now: Millis): boolean {
    const group = this.routes.group(filter);
    if (group?.isWanted !== true) return false;
    const peer = this.forwarder.chooseSide(group, message.publisher);
    if (peer !== undefined) this.forwarder.forwardShared(peer, message, filter);
    else this.deliverShared(group, message, now, new PublishWaits());
    return true;
  }

  /** Delivers to the group's member here whose turn it is. */
  deliverShared(group: SharedGroup, message: Message, now: Millis, waits: PublishWaits): void {
    const member = group.choose(message.publisher);
    if (member === undefined) return;
    if (!this.checksReceivers) this.#deliver(member, message, now, waits);
    else this.#deliverIfAllowed(this.routes.find(message.target).checked(member), message, now, waits);
  }

  /**
   * @param outbox where the answer to the client waits until the subscription is durable
   * @returns true if the session did not have this subscription
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

  /**
   * A message without a connection.
   * @returns undefined: `topic` is not a valid topic name
   */
  message(topic: string, content: Omit<StoredMessage, "topic">): Message | undefined {
    const target = this.topics.find(topic);
    return target && Message.of(target, content);
  }

  /** @param side which client `clientId` names: the one that did not get the message, or its publisher */
  dropped(clientId: string, message: StoredMessage, reason: DropReason, side: DropSide): void {
    countDrop(this.counters, reason);
    if (this.dropRecorder !== undefined) this.dropRecorder(clientId, message, reason, side);
    this.hooks.observe.dropped?.(clientId, pluginMessage(message), reason, side);
  }

  /**
   * Sets or clears a retained message on this broker.
   * @param setAt see `Forwarder.stampRetained`
   * @returns a refusal, if it is refused
   */
  setRetained(message: Message, setAt: number, waits: PublishWaits): ReasonCode | undefined {
    if (message.payloadLength === 0) {
      this.#clearRetained(message.topic, setAt, waits); // [MQTT-3.3.1-6]
      return undefined;
    }
    if (!this.retained.set(message)) {
      this.dropped(message.publisher, message, "storeFull", "publisher");
      return ReasonCode.QuotaExceeded;
    }
    this.#writeRetained(message, setAt, waits);
    this.hooks.observe.retained?.(pluginMessage(message));
    return undefined;
  }

  /**
   * Sets or clears a retained message on all brokers, without sending it to subscribers.
   * @returns a refusal, if it is refused
   */
  retain(message: Message): ReasonCode | undefined {
    const waits = new PublishWaits();
    const now = this.#now();
    const retainedAt = this.forwarder.stampRetained(now);
    const refused = this.setRetained(message, retainedAt, waits);
    if (refused === undefined) {
      const nobody = { peers: undefined, elsewhere: undefined, isWantedHere: false, retainedAt };
      this.forwarder.forward(message, nobody, now, waits);
    }
    return refused;
  }

  /** Sets or clears what another broker has set or cleared, which has checked the limit. */
  replicateRetained(message: Message, setAt: number, waits: PublishWaits): void {
    if (message.payloadLength > 0) {
      this.retained.replicate(message);
      this.#writeRetained(message, setAt, waits);
    } else if (this.retained.delete(message.topic)) this.#eraseRetained(message.topic, setAt, waits);
  }

  #clearRetained(topic: string, setAt: number, waits: PublishWaits): void {
    if (!this.retained.delete(topic)) return;
    this.#eraseRetained(topic, setAt, waits);
    this.hooks.observe.retainedCleared?.(topic);
  }

  #writeRetained(message: Message, setAt: number, waits: PublishWaits): void {
    // `$SYS` is published anew by the next process.
    if (this.factLog === undefined || message.topic.startsWith("$SYS/")) return;
    if (!this.forwarder.keepsRetained(message.topic)) return;
    this.factLog.record({ op: "putRetained", message, ...(setAt === 0 ? {} : { setAt }) }, undefined);
    waits.factRecorded();
  }

  #eraseRetained(topic: string, setAt: number, waits: PublishWaits): void {
    if (this.factLog === undefined || !this.forwarder.keepsRetained(topic)) return;
    const op = setAt === 0 ? { op: "deleteRetained" as const, topic } : { op: "clearRetained" as const, topic, setAt };
    this.factLog.record(op, undefined);
    waits.factRecorded();
  }

  #deliver(recipient: Recipient, message: Message, now: Millis, waits: PublishWaits): void {
    let as: Recipient | null = recipient;
    const { session } = recipient.entry;
    if (recipient.noLocalView !== undefined && message.publisher === session.clientId) as = recipient.noLocalView;
    if (as === null) return;
    const result = session.deliver(message, as.options(message.qos, message.retain), now);
    if (result !== 0) waits.delivered(session, result);
  }

  #deliverIfAllowed(recipient: Recipient, message: Message, now: Millis, waits: PublishWaits): void {
    let as: Recipient | null = recipient;
    const { session } = recipient.entry;
    if (recipient.noLocalView !== undefined && message.publisher === session.clientId) as = recipient.noLocalView;
    if (as === null) return;
    this.deliverAs(recipient, message, as.options(message.qos, message.retain), now, waits);
  }

  /**
   * Delivers a message if the access rules allow it: now, or when a plugin has answered.
   * @param waits undefined: nothing waits for it
   */
  deliverAs(
    recipient: Recipient,
    message: Message,
    options: DeliveryOptions,
    now: Millis,
    waits: PublishWaits | undefined,
  ): void {
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
          this.#deliverLater(entry, message, options, later, waits);
          return;
        }
        allowed = recipient.cacheVerdict(verdict.reasonCode < 0x80, entry.client, this.rules);
      }
      if (entry.pendingAuthorization !== undefined) {
        this.#deliverLater(entry, message, options, allowed, waits);
        return;
      }
      if (!allowed) {
        this.dropped(session.clientId, message, "notAuthorized", "subscriber");
        return;
      }
    }
    const result = session.deliver(message, options, now);
    if (result !== 0) waits?.delivered(session, result);
  }

  /**
   * A plugin has not answered yet about this message or an earlier one: deliveries keep their order, whichever answer
   * comes first.
   */
  #deliverLater(
    entry: SessionEntry,
    message: Message,
    options: DeliveryOptions,
    allowed: boolean | Promise<boolean>,
    waits: PublishWaits | undefined,
  ): void {
    if (options.qos === 0 && entry.pendingAuthorizations >= MOST_PENDING_AUTHORIZATIONS) {
      this.dropped(entry.session.clientId, message, "blocked", "subscriber");
      return;
    }
    message.keep();
    const number = waits === undefined ? 0 : this.#keepUndecided(entry, message, options, waits);
    const { session } = entry;
    entry.pendingAuthorizations++;
    const before = entry.pendingAuthorization ?? Promise.resolve();
    const after = before.then(async () => {
      const isAllowed = await allowed;
      entry.pendingAuthorizations--;
      if (entry.pendingAuthorization === after) entry.pendingAuthorization = undefined;
      // In the batch of the delivery.
      if (number > 0) this.outbox?.settle(number);
      try {
        const now = this.#now();
        if (entry.ended) {
          if (options.sharedFilter != null && options.qos > 0) this.reassign(options.sharedFilter, message, now);
          return undefined;
        }
        if (!isAllowed) this.dropped(session.clientId, message, "notAuthorized", "subscriber");
        else if (message.hasExpired(now))
          this.dropped(session.clientId, message, "expired", "subscriber"); // [MQTT-3.3.2-5]
        else if ((session.deliver(message, options, now) & DeliveryResult.Congested) !== 0) return session;
      } catch (error) {
        this.defect(error);
      }
      return undefined;
    });
    entry.pendingAuthorization = after;
    waits?.authorizes(after);
  }

  /**
   * A message that is not sent again must survive this process while a plugin is awaited.
   * @returns the number of its entry in the outbox; 0: it need not be stored
   */
  #keepUndecided(entry: SessionEntry, message: Message, options: DeliveryOptions, waits: PublishWaits): number {
    const { outbox } = this;
    const { qos, retain, subscriptionIdentifiers } = options;
    const sharedFilter = options.sharedFilter ?? undefined;
    const { clientId, facts } = entry.session;
    if (outbox === undefined || facts === undefined || qos === 0 || waits.isSentAgain) return 0;
    waits.factRecorded();
    const session = { clientId, qos: qos as 1 | 2, retain, subscriptionIdentifiers, sharedFilter };
    return outbox.put(message, { clientId: "", packetId: 0, targets: [{ kind: "session", ...session }] });
  }
}

/** QoS 0 messages for one session that may wait for a plugin; others are limited by their publishers' quota. */
const MOST_PENDING_AUTHORIZATIONS = 1_000;

export function withGroup(
  elsewhere: Map<Peer, string[]> | undefined,
  peer: Peer,
  group: SharedGroup,
): Map<Peer, string[]> {
  const groups = elsewhere ?? new Map<Peer, string[]>();
  const filters = groups.get(peer);
  if (filters === undefined) groups.set(peer, [group.filter]);
  else filters.push(group.filter);
  return groups;
}
