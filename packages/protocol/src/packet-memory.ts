// Memory for large packets that arrive in parts, used again and again: fresh memory of that size comes zeroed and page by
// page, which takes longer than to copy the packet into it.
import type { PacketMemory } from "@wrenmq/codec";

/** Smaller pieces are cheaper to make than to look for. */
const SMALLEST = 8_192;
const LARGEST = 1_048_576;
const MOST = 8;

export class SpareMemory implements PacketMemory {
  readonly #spare: Uint8Array[] = [];

  take(size: number): Uint8Array {
    const spare = this.#spare;
    for (let i = spare.length - 1; i >= 0; i--) {
      const bytes = spare[i] as Uint8Array;
      if (bytes.length < size || size < SMALLEST) continue;
      spare[i] = spare[spare.length - 1] as Uint8Array;
      spare.pop();
      return bytes;
    }
    return new Uint8Array(size);
  }

  give(bytes: Uint8Array): void {
    if (bytes.length >= SMALLEST && bytes.length <= LARGEST && this.#spare.length < MOST) this.#spare.push(bytes);
  }
}
