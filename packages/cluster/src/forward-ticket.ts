// What becomes of messages at the peers that they were sent to, for those who wait for it: of one message at several
// peers, or of several messages, one after the other, at one.
import { ForwardResult } from "./forward-result.ts";

/** Messages in a batch. */
const LONGEST = 64;

/** Held by the bus until a peer has answered. */
export interface Ticket {
  /** One more answer is due. */
  expect(): void;
  /** A message of the ticket went out with this number. */
  sent(sequence: number): void;
  /** The answer for `count` messages, from the number `sequence` on. */
  settle(sequence: number, count: number, result: ForwardResult): void;
}

/** One message at any number of peers. */
export class ForwardTicket implements Ticket {
  /** Answers that are due. */
  waiting: number = 0;
  /** Has any peer somebody who gets the message? */
  received: boolean = false;
  /** Has any peer refused it, or gone before it said anything? */
  refused: boolean = false;
  /** Is nobody at the publisher's own broker who gets the message? */
  peersOnly: boolean = false;
  /** Called once, when the last peer has answered. */
  whenSettled: (() => void) | undefined = undefined;

  expect(): void {
    this.waiting++;
  }

  sent(_sequence: number): void {}

  settle(_sequence: number, count: number, result: ForwardResult): void {
    this.waiting -= count;
    if (result === ForwardResult.Received) this.received = true;
    else if (result === ForwardResult.Refused) this.refused = true;
    if (this.waiting > 0) return;
    const callback = this.whenSettled;
    this.whenSettled = undefined;
    callback?.();
  }
}

/** Who waits for the messages of a batch. */
export interface BatchWaiter {
  /** The peer's answer for `count` messages of a batch, from the one at index `from` on. */
  batchSettled(batch: ForwardBatch, from: number, count: number, result: ForwardResult): void;
}

/** Messages that went to the same peer, and to nobody between them: what most of them are, without a ticket for each. */
export class ForwardBatch implements Ticket {
  /** May more messages join it? Not when the peer has begun to answer, or as many wait as it makes sense to keep together. */
  isOpen: boolean = true;
  readonly waiter: BatchWaiter;
  /** Is nobody at the publisher's own broker who gets the messages? */
  readonly peersOnly: boolean;
  /** Of the messages, in order. Belongs to the waiter, who adds one for each message that was sent. */
  readonly packetIds: number[] = [];
  #length = 0;
  #first = 0;

  constructor(waiter: BatchWaiter, peersOnly: boolean) {
    this.waiter = waiter;
    this.peersOnly = peersOnly;
  }

  expect(): void {}

  sent(sequence: number): void {
    if (this.#length === 0) this.#first = sequence;
    this.#length++;
    if (this.#length === LONGEST) this.isOpen = false;
  }

  settle(sequence: number, count: number, result: ForwardResult): void {
    this.isOpen = false;
    this.waiter.batchSettled(this, (sequence - this.#first) >>> 0, count, result);
  }
}
