// How one session receives messages of a topic: its matching subscriptions merged, and the verdict of the access rules.
import type { QoS } from "@wrenmq/codec";
import type { ClientInfo } from "@wrenmq/plugin-api";
import type { DeliveryOptions, SubscriptionRecord } from "@wrenmq/protocol";
import type { SessionEntry } from "../sessions/session-entry.ts";

/** The six sets of options without subscription identifiers, by qos * 2 + retain. */
const PLAIN: readonly DeliveryOptions[] = tableOf(undefined, undefined);

function tableOf(
  subscriptionIdentifiers: readonly number[] | undefined,
  sharedFilter: string | undefined,
): DeliveryOptions[] {
  const table: DeliveryOptions[] = [];
  for (const qos of [0, 1, 2] as const) {
    for (const retain of [false, true]) table.push({ qos, retain, subscriptionIdentifiers, sharedFilter });
  }
  return table;
}

/**
 * How one session receives messages of one topic (or of a shared subscription), however many of its subscriptions
 * match. [MQTT-3.3.4-2]
 */
export class Recipient {
  readonly entry: SessionEntry;
  /** Without Retain As Published the retain flag is cleared. */
  #retainAsPublished = false;
  #qos = 0;
  #table: readonly DeliveryOptions[] = PLAIN;
  /**
   * Set when a subscription has No Local: how messages of the client itself are delivered; null: not at all.
   * [MQTT-3.8.3-3]
   */
  noLocalView: Recipient | null | undefined = undefined;
  /** The verdict of the access rules, and for which client and generation of rules it holds. */
  #allowed = false;
  #client: ClientInfo | undefined = undefined;
  #rules = -1;

  /**
   * @param records the matching subscriptions; there may be very many, so they are not kept
   * @param sharedFilter set for a member of a group
   */
  constructor(entry: SessionEntry, records: readonly SubscriptionRecord[], sharedFilter?: string) {
    this.entry = entry;
    let identifiers: number[] | undefined;
    let isNoLocal = false;
    for (const { qos, retainAsPublished, subscriptionIdentifier, noLocal } of records) {
      if (qos > this.#qos) this.#qos = qos;
      if (retainAsPublished) this.#retainAsPublished = true;
      if (noLocal) isNoLocal = true;
      if (subscriptionIdentifier === undefined) continue;
      if (identifiers === undefined) identifiers = [subscriptionIdentifier];
      else identifiers.push(subscriptionIdentifier);
    }
    if (identifiers !== undefined || sharedFilter !== undefined) this.#table = tableOf(identifiers, sharedFilter);
    if (isNoLocal) {
      const others = records.filter((record) => !record.noLocal);
      this.noLocalView = others.length === 0 ? null : new Recipient(entry, others);
    }
  }

  /** The same recipient for another topic, without a verdict. */
  withoutVerdict(): Recipient {
    const copy = new Recipient(this.entry, []);
    copy.#retainAsPublished = this.#retainAsPublished;
    copy.#qos = this.#qos;
    copy.#table = this.#table;
    copy.noLocalView = this.noLocalView;
    return copy;
  }

  /**
   * May the client receive messages of the topic? undefined: plugins have not been called since it has connected or the
   * rules have changed.
   */
  verdict(rules: number): boolean | undefined {
    return rules === this.#rules && this.#client === this.entry.client ? this.#allowed : undefined;
  }

  cacheVerdict(allowed: boolean, client: ClientInfo, rules: number): boolean {
    this.#allowed = allowed;
    this.#client = client;
    this.#rules = rules;
    return allowed;
  }

  /** min(QoS of the message, granted QoS), and the retain flag that the subscription asks for. */
  options(qos: QoS, retain: boolean): DeliveryOptions {
    const effective = qos < this.#qos ? qos : this.#qos;
    return this.#table[effective * 2 + (retain && this.#retainAsPublished ? 1 : 0)] as DeliveryOptions;
  }

  /** For a retained message to a new subscription: with the retain flag. [MQTT-3.3.1-8] */
  retainedOptions(qos: QoS): DeliveryOptions {
    const effective = qos < this.#qos ? qos : this.#qos;
    return this.#table[effective * 2 + 1] as DeliveryOptions;
  }
}
