// What waits to be written to one connection: appended packet by packet, handed to the transport once per turn of the
// event loop as one piece. An empty outbox holds no memory.
import { type Arena, SLAB_SIZES } from "./arena.ts";

const NOTHING = new Uint8Array(0);
/** A slab that does not lie in the arena. */
const OWN = -1;
/** Bytes. Beyond this the owner writes before the turn ends: to move it to a larger slab would cost more. */
const LARGE = 65_536;

export interface OutboxOwner {
  /** The first bytes since the last `take`: write them before long. */
  outputReady(): void;
  /** There is a lot: write it now if possible. */
  outputLarge(): void;
  /**
   * Writes what is pending and then, if nothing is left of it, of these bytes as many as are taken at once. Absent: none.
   * @returns how many of them were taken
   */
  outputThrough?(bytes: Uint8Array, start: number, end: number): number;
  /** May packets that lie in these bytes wait there for what follows them? Then `settle` is called while they are valid. */
  mayWaitIn?(bytes: Uint8Array): boolean;
}

export class Outbox {
  /** Memory to append to, between `position` and `limit`. */
  bytes: Uint8Array = NOTHING;
  position: number = 0;
  limit: number = 0;
  /** Bytes that the transport holds until it has drained. */
  inTransit: number = 0;
  /** Pending bytes that are answers to the client. There was a check for room before messages were appended. */
  answers: number = 0;
  /** Above 0: what is pending must not be sent yet, because it depends on facts that are not durable. */
  holds: number = 0;
  #start = 0;
  #class = OWN;
  #transitStart = 0;
  /** Where packets lie that follow each other and have neither been written nor copied. */
  #run: Uint8Array | undefined = undefined;
  #runStart = 0;
  #runEnd = 0;
  #transitClass = OWN;
  readonly #arena: Arena;
  readonly #owner: OutboxOwner;

  constructor(arena: Arena, owner: OutboxOwner) {
    this.#arena = arena;
    this.#owner = owner;
  }

  /** Bytes appended and not handed over yet. */
  get pending(): number {
    return this.position - this.#start;
  }

  /** Bytes that the peer has not taken yet, as far as we can see. */
  get backlog(): number {
    return this.position - this.#start + this.inTransit;
  }

  /** Makes room for `length` bytes at `position`; the caller fills them and moves `position`. */
  reserve(length: number): void {
    if (this.limit - this.position < length) this.#grow(length);
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** Appends `source` from `start` to `end`. */
  appendRange(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    const target = this.bytes;
    if (source === target) target.copyWithin(this.position, start, end);
    else target.set(source.subarray(start, end), this.position);
    this.position += end - start;
  }

  /** Like `passThrough`; packets that follow each other where they lie may leave in one piece, when `settle` is called. */
  passAlong(source: Uint8Array, start: number, end: number): void {
    if (source === this.#run && start === this.#runEnd) {
      this.#runEnd = end;
      return;
    }
    this.settle();
    // Only if the outbox has no memory yet: anything that is appended later gets some first, and is settled then.
    if (this.limit > 0 || this.inTransit > 0 || this.holds > 0 || this.#owner.mayWaitIn?.(source) !== true) {
      this.passThrough(source, start, end);
      return;
    }
    this.#run = source;
    this.#runStart = start;
    this.#runEnd = end;
  }

  /** The memory where packets wait is about to be used again. */
  settle(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    this.passThrough(run, this.#runStart, this.#runEnd);
  }

  /** Like `appendRange`, but what is taken at once is not copied: for large packets a copy costs more than a write. */
  passThrough(source: Uint8Array, start: number, end: number): void {
    this.settle();
    const taken = this.#owner.outputThrough?.(source, start, end) ?? 0;
    if (start + taken < end) this.appendRange(source, start + taken, end);
  }

  /** Nothing leaves until `release` was called as often. */
  hold(): void {
    this.settle();
    this.holds++;
  }

  release(): void {
    this.holds--;
    if (this.holds === 0 && this.pending > 0) this.#owner.outputReady();
  }

  /** All that is pending, for the transport. Follow it with `taken`. */
  take(): Uint8Array {
    return this.bytes.subarray(this.#start, this.position);
  }

  /** @param consumed true: the transport is done with the bytes; false: it holds them until `drained` */
  taken(consumed: boolean): void {
    if (consumed) {
      if (this.#class !== OWN) this.#arena.release(this.#start, this.#class);
    } else {
      this.inTransit = this.position - this.#start;
      this.#transitStart = this.#start;
      this.#transitClass = this.#class;
    }
    this.#reset();
  }

  drained(): void {
    if (this.inTransit > 0 && this.#transitClass !== OWN) this.#arena.release(this.#transitStart, this.#transitClass);
    this.inTransit = 0;
    this.#transitClass = OWN;
  }

  /** Drops what is pending: the connection is lost. */
  discard(): void {
    this.#run = undefined;
    if (this.#class !== OWN) this.#arena.release(this.#start, this.#class);
    this.#reset();
  }

  #reset(): void {
    this.bytes = NOTHING;
    this.#start = 0;
    this.position = 0;
    this.limit = 0;
    this.#class = OWN;
    this.answers = 0;
  }

  #grow(length: number): void {
    if (this.#run !== undefined) {
      this.settle();
      if (this.limit - this.position >= length) return;
    }
    const first = this.limit === 0;
    if (!first && this.pending + length > LARGE) {
      this.#owner.outputLarge();
      if (this.limit === 0) {
        this.#grow(length);
        return;
      }
    }
    const needed = this.pending + length;
    let sizeClass = 0;
    while (sizeClass < SLAB_SIZES.length && (SLAB_SIZES[sizeClass] as number) < needed) sizeClass++;
    const offset = sizeClass < SLAB_SIZES.length ? this.#arena.acquire(sizeClass) : -1;
    if (offset < 0) this.#moveTo(new Uint8Array(Math.max(needed, this.pending * 2)), 0, undefined, OWN);
    else this.#moveTo(this.#arena.bytes, offset, offset + (SLAB_SIZES[sizeClass] as number), sizeClass);
    if (first) this.#owner.outputReady();
  }

  #moveTo(bytes: Uint8Array, start: number, limit: number | undefined, sizeClass: number): void {
    const pending = this.pending;
    if (pending > 0) {
      if (bytes === this.bytes) bytes.copyWithin(start, this.#start, this.position);
      else bytes.set(this.bytes.subarray(this.#start, this.position), start);
      if (this.#class !== OWN) this.#arena.release(this.#start, this.#class);
    }
    this.bytes = bytes;
    this.#start = start;
    this.position = start + pending;
    this.limit = limit ?? bytes.length;
    this.#class = sizeClass;
  }
}
