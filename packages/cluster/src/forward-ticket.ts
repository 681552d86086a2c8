// Collects the answers of peers to forwarded messages: to one message at several peers, or to several messages at one
// peer, in order.
import { ForwardResult } from "./forward-result.ts";

/** The most messages in a batch. */
const LONGEST = 64;

/** Kept by the bus until the peer has answered. */
export interface Ticket {
  /** One more answer is expected. */
  expect(): void;
  /** A message was sent with this sequence number. */
  sent(sequence: number): void;
  /** The answer to `count` messages, from the given sequence number on. */
  settle(sequence: number, count: number, result: ForwardResult): void;
  /** What is sent from now on has other sequence numbers: no message may join. */
  end?(): void;
}

/** One message at any number of peers. */
export class ForwardTicket implements Ticket {
  /** Number of answers that are expected. */
  waiting: number = 0;
  /** Has a peer a subscriber who gets the message? */
  received: boolean = false;
  /** Has a peer refused the message, or been lost before it answered? */
  refused: boolean = false;
  /** Are all receivers at other brokers than the publisher's? */
  peersOnly: boolean = false;
  /** Called once, when the first peer refuses the message; `whenSettled` follows after the last answer. */
  whenRefused: (() => void) | undefined = undefined;
  /** Called once, after the last answer. */
  whenSettled: (() => void) | undefined = undefined;

  expect(): void {
    this.waiting++;
  }

  sent(_sequence: number): void {}

  settle(_sequence: number, count: number, result: ForwardResult): void {
    this.waiting -= count;
    if (result === ForwardResult.Received) this.received = true;
    else if (result === ForwardResult.Refused) this.#refuse();
    if (this.waiting > 0) return;
    const callback = this.whenSettled;
    this.whenSettled = undefined;
    callback?.();
  }

  #refuse(): void {
    this.refused = true;
    const callback = this.whenRefused;
    this.whenRefused = undefined;
    callback?.();
  }
}

/** Gets the answers to a batch. */
export interface BatchWaiter {
  /** The peer has answered `count` messages of the batch, from index `from` on. */
  batchSettled(batch: ForwardBatch, from: number, count: number, result: ForwardResult): void;
}

/** Messages that were sent to one peer, and only to it, in a row. It takes the place of a ticket for each message. */
export class ForwardBatch implements Ticket {
  /** May more messages join? Not when the peer has begun to answer, or the batch is full. */
  isOpen: boolean = true;
  readonly waiter: BatchWaiter;
  /** Are all receivers of the messages at other brokers than the publisher's? */
  readonly peersOnly: boolean;
  /** Packet identifiers of the messages, in order. The waiter adds one for each message that was sent. */
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

  end(): void {
    this.isOpen = false;
  }

  settle(sequence: number, count: number, result: ForwardResult): void {
    this.isOpen = false;
    this.waiter.batchSettled(this, (sequence - this.#first) >>> 0, count, result);
  }
}
