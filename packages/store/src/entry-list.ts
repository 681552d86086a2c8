// Queue entries of one session in order of `seq`, made for first in, first out: adding at the end, removing near the
// front and reading a page from the middle cost the same however long the queue is. It knows nothing of messages.
//
//   seqs   [ 7, 8, 9, 10, 11 ]      removed entries leave holes, which go
//   items  [ –, –, c,  –,  e ]      when they outnumber what is left
//            head ^

/** An ordered, sparse list; numbers may be skipped and may be added late. */
export class EntryList<T> {
  #seqs: number[] = [];
  #items: (T | undefined)[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(seq: number): T | undefined {
    const at = this.#lowerBound(seq);
    return this.#seqs[at] === seq ? this.#items[at] : undefined;
  }

  set(seq: number, item: T): void {
    const last = this.#seqs.at(-1);
    if (last === undefined || seq > last) {
      this.#seqs.push(seq);
      this.#items.push(item);
      this.#size++;
      return;
    }
    const at = this.#lowerBound(seq);
    if (this.#seqs[at] === seq) {
      if (this.#items[at] === undefined) this.#size++;
      this.#items[at] = item;
      return;
    }
    this.#seqs.splice(at, 0, seq);
    this.#items.splice(at, 0, item);
    this.#size++;
  }

  delete(seq: number): T | undefined {
    const at = this.#lowerBound(seq);
    const item = this.#seqs[at] === seq ? this.#items[at] : undefined;
    if (item === undefined) return undefined;
    this.#items[at] = undefined;
    this.#size--;
    while (this.#head < this.#items.length && this.#items[this.#head] === undefined) this.#head++;
    if (this.#items.length > 32 && this.#size * 2 < this.#items.length) this.#sweep();
    return item;
  }

  /** Items whose number is above `after`, in order. */
  *above(after: number): IterableIterator<T> {
    for (let at = this.#lowerBound(after + 1); at < this.#items.length; at++) {
      const item = this.#items[at];
      if (item !== undefined) yield item;
    }
  }

  #sweep(): void {
    const items = this.#items;
    this.#seqs = this.#seqs.filter((_, at) => items[at] !== undefined);
    this.#items = items.filter((item) => item !== undefined);
    this.#head = 0;
  }

  /**
   * Index of `seq`, or where it would be inserted. Numbers mostly follow each other without gaps, so the first guess is
   * mostly right.
   */
  #lowerBound(seq: number): number {
    let low = this.#head;
    let high = this.#seqs.length;
    const guess = low + seq - (this.#seqs[low] ?? seq);
    if (this.#seqs[guess] === seq && guess >= low) return guess;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#seqs[middle] ?? Number.POSITIVE_INFINITY) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
