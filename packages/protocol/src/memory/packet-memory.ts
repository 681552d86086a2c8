// Memory for large packets that arrive in parts, used again and again: fresh memory of that size comes zeroed and page by
// page, which takes longer than to copy the packet into it, and V8 answers a lot of it with collections of the whole heap.
import type { PacketMemory } from "@wrenmq/codec";

/** Pieces have sizes of powers of two, from this one on; smaller ones are cheaper to make than to keep. */
const SMALLEST = 13;
const LARGEST = 20;
/** Bytes that are kept for reuse: a part of a packet of 64 KiB for each of 64 clients that send at the same time. */
const MOST = 8 * 1024 * 1024;

const sizeClass = (size: number): number => 32 - Math.clz32(size - 1);

export class SpareMemory implements PacketMemory {
  readonly #spare: Uint8Array[][] = Array.from({ length: LARGEST - SMALLEST + 1 }, () => []);
  #kept = 0;

  /** Bytes that wait for their next use. */
  get kept(): number {
    return this.#kept;
  }

  take(size: number): Uint8Array {
    const shift = sizeClass(size);
    if (shift < SMALLEST || shift > LARGEST) return new Uint8Array(size);
    const spare = this.#spare[shift - SMALLEST]?.pop();
    if (spare === undefined) return new Uint8Array(2 ** shift);
    this.#kept -= spare.length;
    return spare;
  }

  give(bytes: Uint8Array): void {
    const { length } = bytes;
    const shift = sizeClass(length);
    if (shift < SMALLEST || shift > LARGEST || length !== 2 ** shift || this.#kept + length > MOST) return;
    this.#kept += length;
    this.#spare[shift - SMALLEST]?.push(bytes);
  }
}
