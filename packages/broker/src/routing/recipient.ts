// How one session is sent messages: its subscriptions that match, merged; and what the access rules said about it.
import type { QoS } from "@wrenmq/codec";
import type { ClientInfo } from "@wrenmq/plugin-api";
import type { DeliveryOptions, SubscriptionRecord } from "@wrenmq/protocol";
import type { SessionEntry } from "../sessions/session-entry.ts";

/** The six ways to be sent a message without subscription identifiers, by qos * 2 + retain. */
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

/** How one session is sent the messages of one topic (or of a shared subscription), whatever number of its subscriptions match. [MQTT-3.3.4-2] */
export class Recipient {
  readonly entry: SessionEntry;
  /** Without Retain As Published the retain flag is cleared. */
  #retainAsPublished = false;
  #qos = 0;
  #table: readonly DeliveryOptions[] = PLAIN;
  /** Given when a subscription has No Local: how its own messages go to it; null: not at all. [MQTT-3.8.3-3] */
  noLocalView: Recipient | null | undefined = undefined;
  /** The access rules' answer, about whom it was given, and the generation of rules that gave it. */
  #allowed = false;
  #client: ClientInfo | undefined = undefined;
  #rules = -1;

  /**
   * @param records those that match; there may be very many, and what is made of them is kept
   * @param sharedFilter given for a member of a group
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

  /** The same for another topic, without a verdict. */
  withoutVerdict(): Recipient {
    const copy = new Recipient(this.entry, []);
    copy.#retainAsPublished = this.#retainAsPublished;
    copy.#qos = this.#qos;
    copy.#table = this.#table;
    copy.noLocalView = this.noLocalView;
    return copy;
  }

  /** May its client receive messages of the topic? undefined: no plugin was asked since it connected or rules changed. */
  verdict(rules: number): boolean | undefined {
    return rules === this.#rules && this.#client === this.entry.client ? this.#allowed : undefined;
  }

  cacheVerdict(allowed: boolean, client: ClientInfo, rules: number): boolean {
    this.#allowed = allowed;
    this.#client = client;
    this.#rules = rules;
    return allowed;
  }

  /** min(QoS of the message, granted QoS), and the retain flag as the subscriber wants it. */
  options(qos: QoS, retain: boolean): DeliveryOptions {
    const effective = qos < this.#qos ? qos : this.#qos;
    return this.#table[effective * 2 + (retain && this.#retainAsPublished ? 1 : 0)] as DeliveryOptions;
  }

  /** For a retained message that goes to a new subscription: with the retain flag. [MQTT-3.3.1-8] */
  retainedOptions(qos: QoS): DeliveryOptions {
    const effective = qos < this.#qos ? qos : this.#qos;
    return this.#table[effective * 2 + 1] as DeliveryOptions;
  }
}
