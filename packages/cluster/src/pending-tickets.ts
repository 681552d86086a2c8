// Tickets whose peer has not answered, by the sequence number that went out with the message. Answers come nearly in
// order: a window over the sequence, 32 bits that wrap around.
import type { ForwardTicket } from "./forward-ticket.ts";

export class PendingTickets {
  #tickets: (ForwardTicket | undefined)[] = [];
  #head = 0;
  /** Sequence number of the ticket at `#head`. */
  #first = 0;

  get size(): number {
    return this.#tickets.length - this.#head;
  }

  /** @returns the sequence number */
  add(ticket: ForwardTicket): number {
    const sequence = (this.#first + this.size) >>> 0;
    this.#tickets.push(ticket);
    return sequence;
  }

  take(sequence: number): ForwardTicket | undefined {
    const index = this.#head + ((sequence - this.#first) >>> 0);
    const ticket = this.#tickets[index];
    if (ticket === undefined) return undefined;
    this.#tickets[index] = undefined;
    if (index === this.#head) this.#advance();
    return ticket;
  }

  /** All that are left, in order; none is left then. */
  takeAll(): ForwardTicket[] {
    const left = this.#tickets.slice(this.#head).filter((ticket) => ticket !== undefined);
    this.#first = (this.#first + this.size) >>> 0;
    this.#tickets = [];
    this.#head = 0;
    return left;
  }

  #advance(): void {
    const tickets = this.#tickets;
    let head = this.#head;
    while (head < tickets.length && tickets[head] === undefined) head++;
    this.#first = (this.#first + head - this.#head) >>> 0;
    this.#head = head;
    if (head === tickets.length) {
      this.#tickets = [];
      this.#head = 0;
    } else if (head > 256 && head * 2 > tickets.length) {
      this.#tickets = tickets.slice(head);
      this.#head = 0;
    }
  }
}
