// Tickets without an answer of the peer, by the sequence number that was sent with the message. Answers come nearly in
// order, so this is a ring over the sequence numbers, 32 bits that wrap around.
//
//          head                    tail
//   ────┬───┴────┬────────┬────────┬─┴───
//       │ ticket │  done  │ ticket │ next          slot = sequence & mask
//   ────┴────────┴────────┴────────┴─────
import type { ForwardResult } from "./forward-result.ts";
import type { Ticket } from "./forward-ticket.ts";

const FIRST_CAPACITY = 16;

export class PendingTickets {
  #slots: (Ticket | undefined)[] = new Array<undefined>(FIRST_CAPACITY).fill(undefined);
  #head = 0;
  #tail = 0;

  get size(): number {
    return (this.#tail - this.#head) >>> 0;
  }

  /** @returns its sequence number */
  add(ticket: Ticket): number {
    if (this.size === this.#slots.length) this.#grow();
    const sequence = this.#tail;
    this.#slots[sequence & (this.#slots.length - 1)] = ticket;
    this.#tail = (sequence + 1) >>> 0;
    ticket.sent(sequence);
    return sequence;
  }

  /** The answer to `count` messages from `sequence` on. Messages without a ticket are skipped. */
  settle(sequence: number, count: number, result: ForwardResult): void {
    const offset = (sequence - this.#head) >>> 0;
    // A peer cannot answer more than was sent.
    let left = Math.min(count, this.size - offset);
    let at = sequence;
    while (left > 0) {
      const ticket = this.#slots[at & (this.#slots.length - 1)];
      const length = this.#take(at, left, ticket);
      // Last, because it may send messages and so add tickets.
      ticket?.settle(at, length, result);
      at = (at + length) >>> 0;
      left -= length;
    }
  }

  /** No message may join those that wait. */
  end(): void {
    for (const ticket of this.#slots) ticket?.end?.();
  }

  /** Answers all tickets. */
  settleAll(result: ForwardResult): void {
    this.settle(this.#head, this.size, result);
  }

  /**
   * Empties slots while they have this ticket.
   * @returns how many, at most `most`
   */
  #take(sequence: number, most: number, ticket: Ticket | undefined): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let count = 0;
    while (count < most && slots[(sequence + count) & mask] === ticket) {
      slots[(sequence + count) & mask] = undefined;
      count++;
    }
    if (sequence === this.#head) {
      let head = (sequence + count) >>> 0;
      while (head !== this.#tail && slots[head & mask] === undefined) head = (head + 1) >>> 0;
      this.#head = head;
    }
    return count;
  }

  #grow(): void {
    const { length } = this.#slots;
    const slots = new Array<Ticket | undefined>(length * 2).fill(undefined);
    for (let sequence = this.#head; sequence !== this.#tail; sequence = (sequence + 1) >>> 0) {
      slots[sequence & (slots.length - 1)] = this.#slots[sequence & (length - 1)];
    }
    this.#slots = slots;
  }
}
