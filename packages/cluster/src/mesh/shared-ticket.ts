// A message of shared subscriptions that one broker was chosen for: when that broker ends before it has answered, others
// of the group get the message, as they do when a session ends. [MQTT5 4.8.2]
import { ForwardResult } from "../forward-result.ts";
import type { Ticket } from "../forward-ticket.ts";

export class SharedTicket implements Ticket {
  readonly #inner: Ticket | undefined;
  readonly #isGone: () => boolean;
  readonly #chooseAgain: () => void;

  /**
   * @param inner undefined: nobody waits for the answer
   * @param isGone has the broker ended?
   */
  constructor(inner: Ticket | undefined, isGone: () => boolean, chooseAgain: () => void) {
    this.#inner = inner;
    this.#isGone = isGone;
    this.#chooseAgain = chooseAgain;
  }

  expect(): void {
    this.#inner?.expect();
  }

  sent(sequence: number): void {
    this.#inner?.sent(sequence);
  }

  settle(sequence: number, count: number, result: ForwardResult): void {
    // Whoever has sent a refused message sends it again, unless nobody waits.
    const isLost = result === ForwardResult.Nobody ? this.#isGone() : result === ForwardResult.Refused && !this.#inner;
    if (isLost) this.#chooseAgain();
    this.#inner?.settle(sequence, count, isLost ? ForwardResult.Received : result);
  }
}
