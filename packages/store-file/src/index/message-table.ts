// The position of each message's body, and the number of entries that refer to it: 28 bytes a message in plain arrays (a
// Map of objects takes five times that, and a million queued messages are normal).
//
// A hash table with linear probing; a removal closes the gap, so there are no tombstones.

const EMPTY = 0;
const FIRST_CAPACITY = 1024;

/** Positions in the columns are valid until the next `add` or `remove`. */
export class MessageTable {
  size = 0;
  highest = 0;
  #capacity = FIRST_CAPACITY;
  #shift = 32 - Math.log2(FIRST_CAPACITY);
  #ids = new Float64Array(FIRST_CAPACITY);
  /** Number of entries that refer to it, plus one: 0 marks a free slot. */
  #needed = new Uint32Array(FIRST_CAPACITY);
  #file = new Uint32Array(FIRST_CAPACITY);
  #offset = new Uint32Array(FIRST_CAPACITY);
  #length = new Uint32Array(FIRST_CAPACITY);

  /** @returns −1 when there is no such message */
  find(id: number): number {
    const at = this.#probe(id);
    return this.#needed[at] === EMPTY ? -1 : at;
  }

  /** The position of the message. A new one is added, with no entry that refers to it and no body (file 0). */
  add(id: number): number {
    const at = this.#probe(id);
    if (this.#needed[at] !== EMPTY) return at;
    if (this.size * 4 >= this.#capacity * 3) {
      this.#resize(this.#capacity * 2);
      return this.add(id);
    }
    this.#ids[at] = id;
    this.#needed[at] = 1;
    this.size++;
    if (id > this.highest) this.highest = id;
    return at;
  }

  /**
   * Adds to the number of entries that refer to it.
   * @returns the new number
   */
  need(at: number, change: 1 | -1 | 0): number {
    const needed = this.#needed[at]! + change;
    this.#needed[at] = needed;
    return needed - 1;
  }

  place(at: number, file: number, offset: number, length: number): void {
    this.#file[at] = file;
    this.#offset[at] = offset;
    this.#length[at] = length;
  }

  /** Number of the file with the body; 0: the body is not known. */
  file(at: number): number {
    return this.#file[at]!;
  }

  offset(at: number): number {
    return this.#offset[at]!;
  }

  length(at: number): number {
    return this.#length[at]!;
  }

  remove(at: number): void {
    const mask = this.#capacity - 1;
    let hole = at;
    for (let next = (hole + 1) & mask; this.#needed[next] !== EMPTY; next = (next + 1) & mask) {
      const home = this.#hash(this.#ids[next]!);
      // An item may move into the hole unless its home slot lies between the hole and the item.
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.#move(next, hole);
      hole = next;
    }
    this.#needed[hole] = EMPTY;
    this.place(hole, 0, 0, 0);
    this.size--;
    if (this.#capacity > FIRST_CAPACITY && this.size * 8 < this.#capacity) this.#resize(this.#capacity / 2);
  }

  *ids(): IterableIterator<number> {
    for (let at = 0; at < this.#capacity; at++) if (this.#needed[at] !== EMPTY) yield this.#ids[at]!;
  }

  #probe(id: number): number {
    const mask = this.#capacity - 1;
    let at = this.#hash(id);
    while (this.#needed[at] !== EMPTY && this.#ids[at] !== id) at = (at + 1) & mask;
    return at;
  }

  /** Fibonacci hashing: identifiers that count up are spread evenly. */
  #hash(id: number): number {
    const high = id > 0xffffffff ? Math.floor(id / 0x100000000) : 0;
    return Math.imul((id | 0) ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> this.#shift;
  }

  #move(from: number, to: number): void {
    this.#ids[to] = this.#ids[from]!;
    this.#needed[to] = this.#needed[from]!;
    this.place(to, this.#file[from]!, this.#offset[from]!, this.#length[from]!);
  }

  #resize(capacity: number): void {
    const [ids, needed, file, offset, length] = [this.#ids, this.#needed, this.#file, this.#offset, this.#length];
    this.#capacity = capacity;
    this.#shift = 32 - Math.log2(capacity);
    this.#ids = new Float64Array(capacity);
    this.#needed = new Uint32Array(capacity);
    this.#file = new Uint32Array(capacity);
    this.#offset = new Uint32Array(capacity);
    this.#length = new Uint32Array(capacity);
    for (let at = 0; at < needed.length; at++) {
      if (needed[at] === EMPTY) continue;
      const to = this.#probe(ids[at]!);
      this.#ids[to] = ids[at]!;
      this.#needed[to] = needed[at]!;
      this.place(to, file[at]!, offset[at]!, length[at]!);
    }
  }
}
