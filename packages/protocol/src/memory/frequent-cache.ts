// A cache for more keys than there is room for, which keeps what is looked up repeatedly. It is set-associative: an entry
// lies in one of the four places of its hash, so a look-up is four comparisons at most, whoever chose the hashes.
// Admission: where the four places are taken, a key needs an earlier miss, not long ago, and more misses than the entries
// there have hits. A million keys of which none comes twice therefore evict nothing and are never stored. Bounded in
// entries and in weight; entries are evicted one at a time.

/** Places for one hash. */
const WAYS = 4;
/** Places to begin with. Up to these every key is admitted at once. */
const SMALLEST = 256;
/** Hits are counted up to here, so that an entry can be evicted soon after the last one. */
const MOST_USES = 7;

export interface FrequentCacheLimits {
  /** A power of two. */
  readonly entries: number;
  /** Of all entries together. */
  readonly weight: number;
  /** Heavier entries are not admitted. */
  readonly largest: number;
}

export class FrequentCache<T> {
  readonly #limits: FrequentCacheLimits;
  #hashes: Int32Array;
  /** Hits of each entry, less the misses that competed for its place. */
  #uses: Uint8Array;
  #weights: Int32Array;
  #entries: (T | undefined)[];
  #size = 0;
  #weight = 0;
  /** The place that `admits` has freed. */
  #free = -1;
  /** Hashes of recent misses: sets of four, first in first out. */
  #missed: Int32Array | undefined = undefined;
  #turn = 0;
  /** The next place to check when the weight is over its limit. */
  #hand = 0;

  constructor(limits: FrequentCacheLimits) {
    this.#limits = limits;
    const places = Math.min(SMALLEST, limits.entries);
    this.#hashes = new Int32Array(places);
    this.#uses = new Uint8Array(places);
    this.#weights = new Int32Array(places);
    this.#entries = new Array<T | undefined>(places).fill(undefined);
  }

  get size(): number {
    return this.#size;
  }

  get weight(): number {
    return this.#weight;
  }

  /** The entry with this hash; there is one at most. The caller checks that its key is the right one. */
  get(hash: number): T | undefined {
    const hashes = this.#hashes;
    const first = (hash & (hashes.length / WAYS - 1)) * WAYS;
    for (let place = first; place < first + WAYS; place++) {
      if (hashes[place] !== hash) continue;
      const entry = this.#entries[place];
      if (entry === undefined) continue;
      const uses = this.#uses[place] as number;
      if (uses < MOST_USES) this.#uses[place] = uses + 1;
      return entry;
    }
    return undefined;
  }

  /** To be called for every miss, since it counts. @returns is the entry to be stored? If so, `add` has to follow. */
  admits(hash: number, weight: number): boolean {
    const { largest, weight: most } = this.#limits;
    if (weight > largest) return false;
    const hasRoom = this.#weight + weight <= most;
    const place = this.#placeFor(hash, hasRoom && this.#hashes.length <= SMALLEST);
    if (place < 0) return false;
    this.#remove(place);
    this.#free = place;
    while (this.#weight + weight > most) this.#evictOne();
    return true;
  }

  /** Stores an entry in the place that `admits` has freed. */
  add(hash: number, weight: number, entry: T): void {
    const place = this.#free;
    this.#hashes[place] = hash;
    this.#weights[place] = weight;
    this.#uses[place] = 1;
    this.#entries[place] = entry;
    this.#size++;
    this.#weight += weight;
  }

  clear(): void {
    this.#entries.fill(undefined);
    this.#size = 0;
    this.#weight = 0;
  }

  /**
   * @param isFree may an empty place be taken at the first miss?
   * @returns -1: not admitted
   */
  #placeFor(hash: number, isFree: boolean): number {
    const first = (hash & (this.#hashes.length / WAYS - 1)) * WAYS;
    let place = first;
    let fewest = MOST_USES + 1;
    for (let other = first; other < first + WAYS; other++) {
      const uses = this.#entries[other] === undefined ? -1 : (this.#uses[other] as number);
      if (uses >= 0 && this.#hashes[other] === hash) return -1;
      if (uses >= fewest) continue;
      place = other;
      fewest = uses;
    }
    if (fewest < 0 && isFree) return place;
    if (!this.#hadMiss(hash)) return -1;
    if (fewest < 0) return place;
    if (this.#size * 4 >= this.#hashes.length && this.#hashes.length < this.#limits.entries) {
      this.#grow();
      return this.#placeFor(hash, true);
    }
    if (fewest === 0) return place;
    // Of another entry each time: the one with the fewest hits is often the newest, and the stale one has many.
    const other = first + (this.#turn++ & (WAYS - 1));
    this.#uses[other] = Math.max(0, (this.#uses[other] as number) - 1);
    return -1;
  }

  #remove(place: number): void {
    if (this.#entries[place] === undefined) return;
    this.#entries[place] = undefined;
    this.#size--;
    this.#weight -= this.#weights[place] as number;
  }

  /** Evicts the next entry without a hit since the hand came by last. */
  #evictOne(): void {
    for (;;) {
      const place = this.#hand;
      this.#hand = (place + 1) % this.#hashes.length;
      if (this.#entries[place] === undefined) continue;
      const uses = this.#uses[place] as number;
      if (uses === 0) {
        this.#remove(place);
        return;
      }
      this.#uses[place] = uses >> 1;
    }
  }

  /** Each set of places becomes two: the entries of its four find room in them. */
  #grow(): void {
    const [hashes, uses, weights, entries] = [this.#hashes, this.#uses, this.#weights, this.#entries];
    const places = hashes.length * 2;
    this.#hashes = new Int32Array(places);
    this.#uses = new Uint8Array(places);
    this.#weights = new Int32Array(places);
    this.#entries = new Array<T | undefined>(places).fill(undefined);
    for (let old = 0; old < hashes.length; old++) {
      const entry = entries[old];
      if (entry === undefined) continue;
      const hash = hashes[old] as number;
      let place = (hash & (places / WAYS - 1)) * WAYS;
      while (this.#entries[place] !== undefined) place++;
      this.#hashes[place] = hash;
      this.#uses[place] = uses[old] as number;
      this.#weights[place] = weights[old] as number;
      this.#entries[place] = entry;
    }
  }

  /** Was there a miss for it among the recent ones? There is from now on. */
  #hadMiss(hash: number): boolean {
    this.#missed ??= new Int32Array(this.#limits.entries * 2);
    const missed = this.#missed;
    // Not by the lowest bits, which are the same for all that compete for a place.
    const first = ((hash >>> 8) & (missed.length / WAYS - 1)) * WAYS;
    let cell = first;
    while (cell < first + WAYS && missed[cell] !== hash) cell++;
    if (cell < first + WAYS) return true;
    // The oldest of the four is dropped.
    for (cell--; cell > first; cell--) missed[cell] = missed[cell - 1] as number;
    missed[first] = hash;
    return false;
  }
}
