// One large block of memory that holds both what is read and what is about to be written, so that passing a message on is
// one `copyWithin`: no view is created and nothing is left for the garbage collector. Only the pages in use cost memory.
//
//   ┌ read area ┬ slab ┬ slab ┬───── slab ─────┬ …            slabs of a few sizes, free ones kept in lists
//
// When it is used up, callers get memory of their own and copy the ordinary way.

const READ_AREA = 262_144;
/** Bytes of a slab, by size class. */
export const SLAB_SIZES: readonly number[] = [4_096, 16_384, 65_536, 262_144, 1_048_576];

export class Arena {
  readonly bytes: Uint8Array;
  readonly readStart: number = 0;
  readonly readLength: number = READ_AREA;
  readonly #free: number[][] = SLAB_SIZES.map(() => []);
  #next = READ_AREA;
  /** Bytes of the slabs that are out. */
  inUse: number = 0;

  /** @param bytes all of it (a Buffer where there is one: socket writes then need no conversion); at least 512 KiB */
  constructor(bytes: Uint8Array) {
    if (bytes.length < 2 * READ_AREA) throw new RangeError("an arena needs at least 512 KiB");
    this.bytes = bytes;
  }

  /** The offset of a slab of the class, or -1 when the arena is used up. */
  acquire(sizeClass: number): number {
    const free = this.#free[sizeClass] as number[];
    const size = SLAB_SIZES[sizeClass] as number;
    const offset = free.pop();
    if (offset !== undefined) {
      this.inUse += size;
      return offset;
    }
    if (this.#next + size > this.bytes.length) return -1;
    this.inUse += size;
    this.#next += size;
    return this.#next - size;
  }

  release(offset: number, sizeClass: number): void {
    this.inUse -= SLAB_SIZES[sizeClass] as number;
    (this.#free[sizeClass] as number[]).push(offset);
  }
}
