// SUBSCRIBE and UNSUBSCRIBE: each filter checked, allowed, put into the routes; and what a new subscription is sent first.
import type { ClusterBus } from "@wrenmq/cluster";
import {
  type QoS,
  ReasonCode,
  type SubscribePacket,
  type Subscription,
  type UnsubscribePacket,
  utf8Length,
} from "@wrenmq/codec";
import type { MaybePromise } from "@wrenmq/plugin-api";
import { isAllowed, type Millis, type SubscriptionRecord, type Verdict } from "@wrenmq/protocol";
import { isTopicFilter, parseShared } from "@wrenmq/topics";
import type { SessionEntry } from "../sessions/session-registry.ts";
import type { AuthorizationCache } from "./authorization-cache.ts";
import type { ClientConnection } from "./client-connection.ts";

/** New subscriptions of one client whose retained messages are still to be sent: each time it subscribes to one it has, too. */
const MOST_OWED = 100_000;
/** Characters of the filters of one session. Their number has an option. */
const MOST_FILTER_CHARACTERS = 32 * 1024 * 1024;

export function subscribe(
  driver: ClientConnection,
  packet: SubscribePacket,
  _now: Millis,
): MaybePromise<readonly ReasonCode[]> {
  const identifier = packet.properties?.subscriptionIdentifier;
  const answers = packet.subscriptions.map((subscription) => subscribeOne(driver, subscription, identifier));
  const codes = answers.some((answer) => answer instanceof Promise)
    ? Promise.all(answers.map((answer) => Promise.resolve(answer)))
    : (answers as ReasonCode[]);
  const { cluster } = driver.context.broker;
  return cluster === undefined ? codes : whenPeersKnow(cluster.bus, codes);
}

/** Who has its SUBACK may tell others to publish: by then every broker must know of the subscription. */
function whenPeersKnow(
  bus: ClusterBus,
  codes: MaybePromise<readonly ReasonCode[]>,
): MaybePromise<readonly ReasonCode[]> {
  if (codes instanceof Promise) return codes.then((given) => whenPeersKnow(bus, given));
  return bus.whenKnown()?.then(() => codes) ?? codes;
}

export function unsubscribe(driver: ClientConnection, packet: UnsubscribePacket): readonly ReasonCode[] {
  return packet.topicFilters.map((filter) => {
    if (!isTopicFilter(filter)) return ReasonCode.TopicFilterInvalid;
    const removed = driver.context.broker.router.unsubscribe(driver.entry as SessionEntry, filter, driver.outbox);
    if (!removed) return ReasonCode.NoSubscriptionExisted;
    driver.context.chain.observe.unsubscribed?.(driver.client, filter);
    return ReasonCode.Success;
  });
}

function subscribeOne(
  driver: ClientConnection,
  subscription: Subscription,
  identifier: number | undefined,
): MaybePromise<ReasonCode> {
  const invalid = checkFilter(driver, subscription, identifier);
  if (invalid !== undefined) return told(driver, subscription, invalid);
  const shared = parseShared(subscription.topicFilter);
  const plain = shared === undefined || shared === "invalid" ? subscription.topicFilter : shared.filter;
  const verdict = (driver.access as AuthorizationCache).subscribe(plain);
  if (verdict instanceof Promise) return verdict.then((answer) => allowed(driver, subscription, identifier, answer));
  return allowed(driver, subscription, identifier, verdict);
}

function allowed(
  driver: ClientConnection,
  subscription: Subscription,
  identifier: number | undefined,
  verdict: Verdict,
): MaybePromise<ReasonCode> {
  if (!isAllowed(verdict)) return told(driver, subscription, verdict.reasonCode);
  const { subscribe: transform } = driver.context.chain;
  if (transform === undefined) return grant(driver, subscription, identifier);
  const changed = transform(driver.client, subscription);
  const next = (answer: Awaited<typeof changed>): ReasonCode =>
    "reasonCode" in answer ? told(driver, subscription, answer.reasonCode) : grant(driver, answer, identifier);
  return changed instanceof Promise ? changed.then(next) : next(changed);
}

function grant(driver: ClientConnection, subscription: Subscription, identifier: number | undefined): ReasonCode {
  const entry = driver.entry as SessionEntry;
  if (!driver.isOpen || !isTopicFilter(subscription.topicFilter)) return ReasonCode.UnspecifiedError;
  const { maximumQoS } = driver.context.limits;
  const qos = Math.min(subscription.qos, maximumQoS) as QoS;
  const record: SubscriptionRecord = {
    qos,
    noLocal: subscription.noLocal,
    retainAsPublished: subscription.retainAsPublished,
    retainHandling: subscription.retainHandling,
    subscriptionIdentifier: identifier,
  };
  const isNew = driver.context.broker.router.subscribe(entry, subscription.topicFilter, record, driver.outbox);
  const isShared = subscription.topicFilter.startsWith("$share/");
  const wantsRetained = record.retainHandling === 0 || (record.retainHandling === 1 && isNew); // [MQTT-3.3.1-9] to [MQTT-3.3.1-11]
  if (wantsRetained && !isShared) {
    driver.scheduleRetained(driver.context.broker.router.replay(entry, subscription.topicFilter, record));
  }
  return told(driver, subscription, qos as ReasonCode);
}

function told(driver: ClientConnection, subscription: Subscription, reasonCode: ReasonCode): ReasonCode {
  driver.context.chain.observe.subscribed?.(driver.client, subscription, reasonCode);
  return reasonCode;
}

function checkFilter(
  driver: ClientConnection,
  subscription: Subscription,
  identifier: number | undefined,
): ReasonCode | undefined {
  const { limits } = driver.context;
  const { topicFilter } = subscription;
  if (!isTopicFilter(topicFilter, { maxLevels: limits.maxTopicLevels })) return ReasonCode.TopicFilterInvalid;
  if (utf8Length(topicFilter) > limits.maxTopicLength) return ReasonCode.TopicFilterInvalid;
  const isShared = topicFilter.startsWith("$share/");
  if (isShared && !limits.sharedSubscriptionAvailable) return ReasonCode.SharedSubscriptionsNotSupported;
  if (!limits.wildcardSubscriptionAvailable && /[+#]/.test(topicFilter))
    return ReasonCode.WildcardSubscriptionsNotSupported;
  if (identifier !== undefined && !limits.subscriptionIdentifierAvailable) {
    return ReasonCode.SubscriptionIdentifiersNotSupported;
  }
  const { subscriptions, filterCharacters } = (driver.entry as SessionEntry).session;
  const isFull =
    (limits.maxSubscriptions > 0 && subscriptions.size >= limits.maxSubscriptions) ||
    filterCharacters + topicFilter.length > MOST_FILTER_CHARACTERS;
  const isTooMuch = (isFull && !subscriptions.has(topicFilter)) || driver.scheduledRetained >= MOST_OWED;
  return isTooMuch ? ReasonCode.QuotaExceeded : undefined;
}
