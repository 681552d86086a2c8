// SUBSCRIBE and UNSUBSCRIBE: each filter checked, allowed, put into the routes; and what a new subscription is sent first.
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

/** New subscriptions of one client whose retained messages are still to be sent: each time it subscribes to one it has, too. */
const MOST_SCHEDULED = 100_000;
/** Characters of the filters of one session. Their number has an option. */
const MOST_FILTER_CHARACTERS = 32 * 1024 * 1024;
/** Filters of one SUBSCRIBE about which plugins are asked at the same time. */
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

/** Filters are granted one after the other, so that each sees the limits as the one before has left them. */
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

/** A plugin answers later. Others are asked ahead, but not about all filters at once: there may be very many. */
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
      // What is invalid is refused without a question.
      const verdict = isTopicFilter(topicFilter) ? mayRead(subscriber, topicFilter) : ALLOWED;
      // It is awaited in its turn; until then a rejection must not count as unhandled.
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

/** Who has its SUBACK may ask others to publish: by then every broker must know of the subscription. */
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

/** @param asked what a plugin said or will say about the filter; undefined: it has not been asked */
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
  if (!isAllowed(verdict)) return answered(subscriber, subscription, verdict.reasonCode);
  const { subscribe: transform } = subscriber.scope.chain;
  if (transform === undefined) return grant(subscriber, subscription, identifier);
  const changed = transform(subscriber.client, subscription);
  const next = (answer: Awaited<typeof changed>): ReasonCode =>
    "reasonCode" in answer
      ? answered(subscriber, subscription, answer.reasonCode)
      : grant(subscriber, answer, identifier);
  return changed instanceof Promise ? changed.then(next) : next(changed);
}

function grant(subscriber: Subscriber, subscription: Subscription, identifier: number | undefined): ReasonCode {
  const { entry, scope, outbox } = subscriber;
  const { topicFilter } = subscription;
  if (!subscriber.isOpen || !isTopicFilter(topicFilter)) return ReasonCode.UnspecifiedError;
  // Once more: it may have waited for a plugin, and a plugin may have made another filter of it.
  if (isTooMany(subscriber, topicFilter)) return answered(subscriber, subscription, ReasonCode.QuotaExceeded);
  const { maximumQoS } = scope.limits;
  const qos = Math.min(subscription.qos, maximumQoS) as QoS;
  // Before MQTT 5.0 a bridge cannot ask for either: it gets no message back that it published, and flags as they were.
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
