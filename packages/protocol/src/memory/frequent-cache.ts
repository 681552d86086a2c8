// What is looked up again and again, out of more than there is room for. Each hash has four places where its entry may
// lie, so that finding it is four comparisons at most, whoever chose the hashes. Where they are taken, a newcomer has to
// have been asked for before, not long ago, and again and again as long as those that lie there are asked for too: a
// million names of which none comes twice leave the few that matter where they are, and are not kept for a moment.
// Bounded in entries and in weight; entries go one at a time.

/** Places for one hash. */
const WAYS = 4;
/** Places to begin with. Until these are taken everything is kept: there is nothing to choose between. */
const SMALLEST = 256;
/** More uses are not remembered: an entry has to go some time after the last one. */
const MOST_USES = 7;

export interface FrequentCacheLimits {
  /** A power of two. */
  readonly entries: number;
  /** Of all entries together. */
  readonly weight: number;
  /** The weight of an entry that is still worth keeping. */
  readonly largest: number;
}

export class FrequentCache<T> {
  readonly #limits: FrequentCacheLimits;
  #hashes: Int32Array;
  /** How often each entry was found, less how often others wanted its place. */
  #uses: Uint8Array;
  #weights: Int32Array;
  #entries: (T | undefined)[];
  #size = 0;
  #weight = 0;
  /** Where `admits` has made room. */
  #free = -1;
  /** Hashes that were asked for in vain, each until as many others have come as there is room for. */
  #wanted: Int32Array | undefined = undefined;
  #turn = 0;
  /** Where to look for an entry that can go when all together weigh too much. */
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

  /** The entry with this hash, of which there is one at most: whoever asks looks whether it is the right one. */
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

  /**
   * Is an entry that was asked for in vain to be kept? To be asked each time, since it is remembered that it was; if the
   * answer is yes, `add` has to follow.
   */
  admits(hash: number, weight: number): boolean {
    const { largest, weight: most } = this.#limits;
    if (weight > largest) return false;
    const hasRoom = this.#weight + weight <= most;
    const place = this.#placeFor(hash, hasRoom && this.#hashes.length <= SMALLEST);
    if (place < 0) return false;
    this.#remove(place);
    this.#free = place;
    while (this.#weight + weight > most) this.#dropOne();
    return true;
  }

  /** Puts an entry where `admits` has made room for it. */
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
   * @param isFree may a place that nobody has be taken by whoever comes first?
   * @returns -1: there is none for it
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
    if (!this.#wasWanted(hash)) return -1;
    if (fewest < 0) return place;
    if (this.#size * 4 >= this.#hashes.length && this.#hashes.length < this.#limits.entries) {
      this.#grow();
      return this.#placeFor(hash, true);
    }
    if (fewest === 0) return place;
    // Another one of them each time: those that are not found any more are not the ones that were found least.
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

  /** The next one that was not asked for since the hand came by last. */
  #dropOne(): void {
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

  /** Each set of places becomes two: what lay in its four finds room. */
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

  /** Was it asked for in vain before, not too many others ago? It is from now on. */
  #wasWanted(hash: number): boolean {
    this.#wanted ??= new Int32Array(this.#limits.entries * 2);
    const wanted = this.#wanted;
    // Not by the lowest bits: those that lie in the same places are to be told from each other.
    const first = ((hash >>> 8) & (wanted.length / WAYS - 1)) * WAYS;
    let cell = first;
    while (cell < first + WAYS && wanted[cell] !== hash) cell++;
    if (cell < first + WAYS) return true;
    // The one that came first makes room.
    for (cell--; cell > first; cell--) wanted[cell] = wanted[cell - 1] as number;
    wanted[first] = hash;
    return false;
  }
}
