// Which messages of a trace were retained messages for a new subscription: they must be there before its SUBSCRIBE.
import { topicMatches } from "@wrenmq/topics";
import type { DeliveredRecord, PacketRecord, QueuedRecord, TracedMessage, TraceRecord } from "../trace/records.ts";

interface Subscribing {
  readonly index: number;
  readonly record: PacketRecord;
}

export class RetainedBefore {
  readonly #before = new Map<number, TracedMessage[]>();
  readonly #found = new Set<number>();

  constructor(records: readonly TraceRecord[]) {
    const subscribing: Subscribing[] = [];
    for (const [index, record] of records.entries()) {
      if (record.kind === "packet" && record.packet.type === "subscribe") subscribing.push({ index, record });
      else if (record.kind === "delivered" || record.kind === "queued") this.#look(record, index, subscribing);
    }
  }

  /** Those that must be retained before this record. */
  before(index: number): readonly TracedMessage[] {
    return this.#before.get(index) ?? [];
  }

  /** Was this delivery that of a retained message? */
  has(index: number): boolean {
    return this.#found.has(index);
  }

  #look(record: DeliveredRecord | QueuedRecord, index: number, subscribing: readonly Subscribing[]): void {
    const { client, message, retain } = record;
    if (!retain || (record.kind === "delivered" && record.waited)) return;
    const cause = subscribing.findLast(({ record: one }) => one.client === client && asksFor(one, message.topic));
    // Retain As Published: the flag does not tell whether the message was there before.
    if (cause === undefined || isAsPublished(cause.record, message.topic)) return;
    this.#found.add(index);
    const messages = this.#before.get(cause.index) ?? [];
    this.#before.set(cause.index, messages);
    messages.push(message);
  }
}

function subscriptionsOf({ packet }: PacketRecord): readonly { topicFilter: string; retainAsPublished: boolean }[] {
  return packet.type === "subscribe" ? packet.subscriptions : [];
}

function asksFor(record: PacketRecord, topic: string): boolean {
  return subscriptionsOf(record).some(({ topicFilter }) => topicMatches(topicFilter, topic));
}

function isAsPublished(record: PacketRecord, topic: string): boolean {
  return subscriptionsOf(record).some((one) => one.retainAsPublished && topicMatches(one.topicFilter, topic));
}
