// Numbers that order what several brokers decide at about the same time: later ones are larger, no two are equal, and
// who has seen a number gives only larger ones from then on (a hybrid logical clock). Milliseconds since 2020 × 4,096,
// of which 64 × 64 are for a counter and the number of the broker.
const EPOCH = Date.UTC(2020, 0, 1);
const NODES = 64;
const PER_MILLISECOND = 4096;
/** Below every stamp: of what was found in a store, and of which nobody knows when it came. */
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
