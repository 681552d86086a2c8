// Handles SUBSCRIBE and UNSUBSCRIBE: checks and authorizes each filter, changes the routes, and schedules retained
// messages.
import {
  type QoS,
  ReasonCode,
  type SubscribePacket,
  type Subscription,
  type UnsubscribePacket,
  utf8Length,
} from "@wrenmq/codec";
import type { ClientInfo, MaybePromise } from "@wrenmq/plugin-api";
import { ALLOWED, isAllowed, type Outbox, type SubscriptionRecord, type Verdict } from "@wrenmq/protocol";
import { isShared, isTopicFilter, unsharedFilter } from "@wrenmq/topics";
import type { AuthorizationCache } from "../access/authorization-cache.ts";
import type { Forwarder } from "../routing/forwarder.ts";
import { RetainedDelivery } from "../routing/retained-delivery.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";
import type { ListenerScope } from "./services.ts";

/**
 * The most subscriptions of one client that wait for retained messages: subscribing again to the same filter adds one.
 */
const MOST_SCHEDULED = 100_000;
/** Characters of the filters of one session. Their number has an option. */
const MOST_FILTER_CHARACTERS = 32 * 1024 * 1024;
/** Filters of one SUBSCRIBE for which plugins are called at the same time. */
const MOST_ASKED = 16;

/** A connection whose client subscribes. */
export interface Subscriber {
  readonly scope: ListenerScope;
  readonly client: ClientInfo;
  readonly entry: SessionEntry;
  readonly access: AuthorizationCache;
  readonly outbox: Outbox;
  readonly isOpen: boolean;
  /** Subscriptions whose retained messages have not all been sent. */
  readonly scheduledRetained: number;
  scheduleRetained(delivery: RetainedDelivery): void;
}

/** Filters are granted one after the other, so that each is checked against the limits after the one before. */
export function subscribe(subscriber: Subscriber, packet: SubscribePacket): MaybePromise<readonly ReasonCode[]> {
  const { subscriptions, properties } = packet;
  const identifier = properties?.subscriptionIdentifier;
  const codes: ReasonCode[] = [];
  for (const subscription of subscriptions) {
    const code = subscribeOne(subscriber, subscription, identifier, undefined);
    if (code instanceof Promise) {
      const rest = subscribeInTurn(subscriber, subscriptions.slice(codes.length), identifier, code);
      const all = rest.then((others) => whenPeersKnow(subscriber.scope.broker.router.forwarder, [...codes, ...others]));
      return all;
    }
    codes.push(code);
  }
  return whenPeersKnow(subscriber.scope.broker.router.forwarder, codes);
}

/** Used when a plugin answers asynchronously. Plugins are called ahead for a few filters, as there may be very many. */
async function subscribeInTurn(
  subscriber: Subscriber,
  subscriptions: readonly Subscription[],
  identifier: number | undefined,
  first: Promise<ReasonCode>,
): Promise<ReasonCode[]> {
  const asked: MaybePromise<Verdict>[] = [];
  let next = 1;
  const askAhead = (): void => {
    for (; next < subscriptions.length && asked.length < MOST_ASKED; next++) {
      const { topicFilter } = subscriptions[next] as Subscription;
      // Invalid filters are refused without calling plugins.
      const verdict = isTopicFilter(topicFilter) ? mayRead(subscriber, topicFilter) : ALLOWED;
      // It is awaited later; until then a rejection must not count as unhandled.
      if (verdict instanceof Promise) verdict.catch(() => {});
      asked.push(verdict);
    }
  };
  askAhead();
  const codes = [await first];
  for (const subscription of subscriptions.slice(1)) {
    codes.push(await subscribeOne(subscriber, subscription, identifier, asked.shift()));
    askAhead();
  }
  return codes;
}

/** After SUBACK the client may ask others to publish, so every broker must know of the subscription before. */
function whenPeersKnow(forwarder: Forwarder, codes: readonly ReasonCode[]): MaybePromise<readonly ReasonCode[]> {
  return forwarder.whenKnown()?.then(() => codes) ?? codes;
}

export function unsubscribe(subscriber: Subscriber, packet: UnsubscribePacket): readonly ReasonCode[] {
  const { scope, entry, outbox, client } = subscriber;
  return packet.topicFilters.map((filter) => {
    if (!isTopicFilter(filter)) return ReasonCode.TopicFilterInvalid;
    if (!scope.broker.router.unsubscribe(entry, filter, outbox)) return ReasonCode.NoSubscriptionExisted;
    scope.chain.observe.unsubscribed?.(client, filter);
    return ReasonCode.Success;
  });
}

/** @param asked the answer of plugins, or its promise; undefined: they have not been called */
function subscribeOne(
  subscriber: Subscriber,
  subscription: Subscription,
  identifier: number | undefined,
  asked: MaybePromise<Verdict> | undefined,
): MaybePromise<ReasonCode> {
  const invalid = checkFilter(subscriber, subscription, identifier);
  if (invalid !== undefined) return answered(subscriber, subscription, invalid);
  const verdict = asked ?? mayRead(subscriber, subscription.topicFilter);
  return verdict instanceof Promise
    ? verdict.then((answer) => allowed(subscriber, subscription, identifier, answer))
    : allowed(subscriber, subscription, identifier, verdict);
}

function mayRead({ access }: Subscriber, topicFilter: string): MaybePromise<Verdict> {
  return access.subscribe(unsharedFilter(topicFilter));
}

function allowed(
  subscriber: Subscriber,
  subscription: Subscription,
  identifier: number | undefined,
  verdict: Verdict,
): MaybePromise<ReasonCode> {
  if (!isAllowed(verdict)) return refused(subscriber, subscription, verdict);
  const { subscribe: transform } = subscriber.scope.chain;
  if (transform === undefined) return grant(subscriber, subscription, identifier);
  const changed = transform(subscriber.client, subscription);
  const next = (answer: Awaited<typeof changed>): ReasonCode =>
    "reasonCode" in answer ? refused(subscriber, subscription, answer) : grant(subscriber, answer, identifier);
  return changed instanceof Promise ? changed.then(next) : next(changed);
}

function grant(subscriber: Subscriber, subscription: Subscription, identifier: number | undefined): ReasonCode {
  const { entry, scope, outbox } = subscriber;
  const { topicFilter } = subscription;
  if (!subscriber.isOpen || !isTopicFilter(topicFilter)) return ReasonCode.UnspecifiedError;
  // Checked again: it may have waited for a plugin, and a plugin may have changed the filter.
  if (isTooMany(subscriber, topicFilter)) return answered(subscriber, subscription, ReasonCode.QuotaExceeded);
  const { maximumQoS } = scope.limits;
  const qos = Math.min(subscription.qos, maximumQoS) as QoS;
  // Before MQTT 5.0 a bridge cannot ask for No Local and Retain As Published; it gets both.
  const { bridge } = subscriber.client;
  const record: SubscriptionRecord = {
    qos,
    noLocal: subscription.noLocal || (bridge && !isShared(topicFilter)),
    retainAsPublished: subscription.retainAsPublished || bridge,
    retainHandling: subscription.retainHandling,
    subscriptionIdentifier: identifier,
  };
  const { router } = scope.broker;
  const isNew = router.subscribe(entry, topicFilter, record, outbox);
  const wantsRetained = record.retainHandling === 0 || (record.retainHandling === 1 && isNew); // [MQTT-3.3.1-9] to [MQTT-3.3.1-11]
  if (wantsRetained && !isShared(topicFilter)) {
    subscriber.scheduleRetained(new RetainedDelivery(router, entry, topicFilter, record));
  }
  return answered(subscriber, subscription, qos as ReasonCode);
}

function refused(subscriber: Subscriber, subscription: Subscription, verdict: Verdict): ReasonCode {
  const { scope, client } = subscriber;
  scope.broker.refusals.refused(client, "subscribe", subscription.topicFilter, verdict);
  return answered(subscriber, subscription, verdict.reasonCode);
}

function answered(subscriber: Subscriber, subscription: Subscription, reasonCode: ReasonCode): ReasonCode {
  subscriber.scope.chain.observe.subscribed?.(subscriber.client, subscription, reasonCode);
  return reasonCode;
}

function checkFilter(
  subscriber: Subscriber,
  subscription: Subscription,
  identifier: number | undefined,
): ReasonCode | undefined {
  const { limits } = subscriber.scope;
  const { topicFilter } = subscription;
  if (!isTopicFilter(topicFilter, { maxLevels: limits.maxTopicLevels })) return ReasonCode.TopicFilterInvalid;
  if (utf8Length(topicFilter) > limits.maxTopicLength) return ReasonCode.TopicFilterInvalid;
  if (isShared(topicFilter) && !limits.sharedSubscriptionAvailable) return ReasonCode.SharedSubscriptionsNotSupported;
  if (!limits.wildcardSubscriptionAvailable && /[+#]/.test(topicFilter))
    return ReasonCode.WildcardSubscriptionsNotSupported;
  if (identifier !== undefined && !limits.subscriptionIdentifierAvailable) {
    return ReasonCode.SubscriptionIdentifiersNotSupported;
  }
  return isTooMany(subscriber, topicFilter) ? ReasonCode.QuotaExceeded : undefined;
}

function isTooMany(subscriber: Subscriber, topicFilter: string): boolean {
  const { maxSubscriptions } = subscriber.scope.limits;
  const { subscriptions, filterCharacters } = subscriber.entry.session;
  const isFull =
    (maxSubscriptions > 0 && subscriptions.size >= maxSubscriptions) ||
    filterCharacters + topicFilter.length > MOST_FILTER_CHARACTERS;
  return (isFull && !subscriptions.has(topicFilter)) || subscriber.scheduledRetained >= MOST_SCHEDULED;
}
