// Numbers that order decisions of several brokers (a hybrid logical clock): later ones are larger, no two are equal, and
// after a broker has seen a number its next ones are larger. Milliseconds since 2020 × 4,096, of which 64 × 64 are for a
// counter and the number of the broker.
const EPOCH = Date.UTC(2020, 0, 1);
const NODES = 64;
const PER_MILLISECOND = 4096;
/** Lower than every stamp: for messages from a store, whose time is unknown. */
export const UNDATED = 1;

export class Stamps {
  readonly #node: number;
  #last = 0;

  /** @param node 0 to 63 */
  constructor(node: number) {
    this.#node = node;
  }

  next(now: number): number {
    const time = Math.max((now - EPOCH) * PER_MILLISECOND, this.#last + NODES);
    this.#last = Math.floor(time / NODES) * NODES;
    return this.#last + this.#node;
  }

  seen(stamp: number): void {
    if (stamp > this.#last) this.#last = stamp;
  }
}
