// The queue of one session in columns: 23 bytes an entry. Entries are in order of `seq`, are added at the end and removed
// near the front; a removed one leaves a hole until holes outnumber entries.
//
//   seq      7   8   9  10  11          position = index into the columns; valid until the next
//   flags    ·   ·   9f  ·  9f   ·      `insert` or `remove`
//            head ^           ^ end

import { HAS_IDENTIFIERS, QOS2, RETAIN, STATE_MASK, STATE_SHIFT } from "../journal/entry-flags.ts";

/** A flag in memory only: the entry has not been removed. */
const LIVE = 0x80;
const FIRST_CAPACITY = 8;

export class EntryTable {
  size = 0;
  #head = 0;
  #end = 0;
  #seq = new Float64Array(FIRST_CAPACITY);
  #message = new Float64Array(FIRST_CAPACITY);
  #home = new Uint32Array(FIRST_CAPACITY);
  #packetId = new Uint16Array(FIRST_CAPACITY);
  #flags = new Uint8Array(FIRST_CAPACITY);
  /** Lists of subscription identifiers, where there are any; equal lists that follow each other are stored once. */
  #identifiers: Map<number, readonly number[]> | undefined;

  /** @returns −1 when there is no such entry */
  find(seq: number): number {
    const at = this.#lowerBound(seq);
    return at < this.#end && this.#seq[at] === seq && this.#flags[at] !== 0 ? at : -1;
  }

  /** @returns the first position whose `seq` is above `after`, or −1 */
  first(after: number): number {
    return this.#live(this.#lowerBound(after + 1));
  }

  /** @returns the next position, or −1 at the end */
  next(at: number): number {
    return this.#live(at + 1);
  }

  seq(at: number): number {
    return this.#seq[at]!;
  }
  message(at: number): number {
    return this.#message[at]!;
  }
  /** Number of the file with the record. */
  home(at: number): number {
    return this.#home[at]!;
  }
  packetId(at: number): number {
    return this.#packetId[at]!;
  }
  /** QoS, retain and state. */
  plainFlags(at: number): number {
    return this.#flags[at]! & (QOS2 | RETAIN | STATE_MASK);
  }
  /** Index into the states of entries: 0 is queued. */
  state(at: number): number {
    return (this.#flags[at]! & STATE_MASK) >> STATE_SHIFT;
  }
  identifiers(at: number): readonly number[] | undefined {
    return this.#flags[at]! & HAS_IDENTIFIERS ? this.#identifiers?.get(this.#seq[at]!) : undefined;
  }

  /** Adds an entry. There must be none with this `seq`. */
  insert(
    seq: number,
    message: number,
    home: number,
    packetId: number,
    flags: number,
    identifiers?: readonly number[],
  ): void {
    if (this.#end === this.#seq.length) this.#rebuild();
    let at = this.#end;
    if (at > this.#head && seq <= this.#seq[at - 1]!) {
      at = this.#lowerBound(seq);
      if (this.#seq[at] !== seq) this.#shift(at);
      else this.#end--;
    }
    this.#seq[at] = seq;
    this.#message[at] = message;
    this.#home[at] = home;
    this.#packetId[at] = packetId;
    this.#flags[at] = (flags & (QOS2 | RETAIN | STATE_MASK | HAS_IDENTIFIERS)) | LIVE;
    if (identifiers !== undefined) {
      this.#identifiers ??= new Map();
      this.#identifiers.set(seq, identifiers);
    }
    this.#end++;
    this.size++;
  }

  advance(at: number, packetId: number, state: number): void {
    this.#packetId[at] = packetId;
    this.#flags[at] = (this.#flags[at]! & ~STATE_MASK) | (state << STATE_SHIFT);
  }

  remove(at: number): void {
    if (this.#flags[at]! & HAS_IDENTIFIERS) this.#identifiers?.delete(this.#seq[at]!);
    this.#flags[at] = 0;
    this.size--;
    if (this.size === 0) {
      this.#head = 0;
      this.#end = 0;
      if (this.#seq.length > 1024) this.#resize(FIRST_CAPACITY);
      return;
    }
    while (this.#flags[this.#head] === 0) this.#head++;
    if (this.#end - this.#head > 4 * this.size + 64) this.#rebuild();
  }

  /** Makes space: removes the holes, and doubles the columns when that is not enough. */
  #rebuild(): void {
    const capacity = this.#seq.length;
    if (this.size * 2 > capacity) this.#resize(capacity * 2);
    else if (this.size * 8 < capacity && capacity > 1024) this.#resize(capacity / 2);
    else this.#closeUp(this.#seq, this.#message, this.#home, this.#packetId, this.#flags);
  }

  #resize(capacity: number): void {
    const [seq, message, home, packetId, flags] = [this.#seq, this.#message, this.#home, this.#packetId, this.#flags];
    this.#seq = new Float64Array(capacity);
    this.#message = new Float64Array(capacity);
    this.#home = new Uint32Array(capacity);
    this.#packetId = new Uint16Array(capacity);
    this.#flags = new Uint8Array(capacity);
    this.#closeUp(seq, message, home, packetId, flags);
  }

  /** Copies the entries without holes to the front of the columns. The source may be the same columns. */
  #closeUp(
    seq: Float64Array,
    message: Float64Array,
    home: Uint32Array,
    packetId: Uint16Array,
    flags: Uint8Array,
  ): void {
    let to = 0;
    for (let at = this.#head; at < this.#end; at++) {
      if (flags[at] === 0) continue;
      this.#seq[to] = seq[at]!;
      this.#message[to] = message[at]!;
      this.#home[to] = home[at]!;
      this.#packetId[to] = packetId[at]!;
      this.#flags[to++] = flags[at]!;
    }
    this.#head = 0;
    this.#end = to;
  }

  /** Makes a hole in the middle, for an entry that is added late. */
  #shift(at: number): void {
    for (const column of [this.#seq, this.#message, this.#home, this.#packetId, this.#flags]) {
      column.copyWithin(at + 1, at, this.#end);
    }
  }

  #live(from: number): number {
    let at = from;
    while (at < this.#end && this.#flags[at] === 0) at++;
    return at < this.#end ? at : -1;
  }

  #lowerBound(seq: number): number {
    let low = this.#head;
    let high = this.#end;
    const guess = low + seq - this.#seq[low]!;
    if (guess >= low && guess < high && this.#seq[guess] === seq) return guess;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#seq[middle]! < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
