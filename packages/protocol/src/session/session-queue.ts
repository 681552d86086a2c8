// QoS 1 and 2 messages that wait for their session: first in, first out, bounded in number and bytes. In a session that
// is stored only the front lies in memory; the rest is read back page by page.
import type { Delivery } from "./delivery.ts";

/** What a delivery in the queue counts for besides its message. Bytes. */
const OVERHEAD = 100;

function deliveryBytes(delivery: Delivery): number {
  return delivery.message.weight + OVERHEAD;
}

/** Reads the entries of a stored session that follow `after`, at most `limit`. undefined: not possible just now. */
export type LoadPage = (after: number, limit: number) => readonly Delivery[] | undefined;

export class SessionQueue {
  /** Messages in the queue, also those that are only in the store. */
  length: number = 0;
  /** Bytes of the messages in memory. */
  bytes: number = 0;
  /** How many at the front were queued before the access rules changed. */
  unchecked: number = 0;
  #items: (Delivery | undefined)[] = [];
  #head = 0;
  #lastResident = 0;
  readonly #pageSize: number;
  readonly #load: LoadPage | undefined;

  /** @param load given for a stored session: what is beyond `pageSize` messages stays in the store alone */
  constructor(load?: LoadPage, pageSize: number = 1000) {
    this.#load = load;
    this.#pageSize = pageSize;
  }

  get resident(): number {
    return this.#items.length - this.#head;
  }

  /** Those that lie in memory, the oldest first. The queue must not change meanwhile. */
  *residents(): IterableIterator<Delivery> {
    for (let index = this.#head; index < this.#items.length; index++) {
      const delivery = this.#items[index];
      if (delivery !== undefined) yield delivery;
    }
  }

  push(delivery: Delivery): void {
    const paged = this.length > this.resident;
    this.length++;
    if (this.#load !== undefined && (paged || this.resident >= this.#pageSize)) return;
    this.#add(delivery);
  }

  /** Counts what lies in the store already, when a session is restored. */
  restore(count: number, firstSeq: number): void {
    this.length = count;
    this.#lastResident = firstSeq - 1;
  }

  peek(): Delivery | undefined {
    if (this.resident === 0 && this.length > 0) this.#page();
    return this.#items[this.#head];
  }

  shift(): Delivery | undefined {
    const delivery = this.peek();
    if (delivery === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    this.length--;
    if (this.unchecked > 0) this.unchecked--;
    this.bytes -= deliveryBytes(delivery);
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return delivery;
  }

  #add(delivery: Delivery): void {
    this.#items.push(delivery);
    this.#lastResident = delivery.seq;
    this.bytes += deliveryBytes(delivery);
  }

  #page(): void {
    const page = this.#load?.(this.#lastResident, this.#pageSize);
    if (page === undefined) return;
    for (const delivery of page) this.#add(delivery);
    // What the store does not have (any more) does not exist.
    if (page.length === 0) {
      this.length = 0;
      this.unchecked = 0;
    }
  }
}
