// The last entries of a stream, bounded in number and in memory, each with its number since the beginning.

export interface Numbered<T> {
  readonly number: number;
  readonly item: T;
  readonly weight: number;
}

export interface RecentBounds {
  readonly entries: number;
  /** Of all that are kept, in characters. */
  readonly weight: number;
}

export class Recent<T> {
  /** The oldest first. */
  readonly entries: Numbered<T>[] = [];
  /** Entries that came, those that are gone too. */
  total = 0;
  readonly #bounds: RecentBounds;
  #weight = 0;

  constructor(bounds: RecentBounds) {
    this.#bounds = bounds;
  }

  add(item: T, weight: number): void {
    this.entries.push({ number: ++this.total, item, weight });
    this.#weight += weight;
    while (
      this.entries.length > this.#bounds.entries ||
      (this.#weight > this.#bounds.weight && this.entries.length > 1)
    ) {
      this.#weight -= this.entries.shift()?.weight ?? 0;
    }
  }
}
