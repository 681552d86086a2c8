// Small pieces of bytes that are kept for a while (payloads, topic names), packed into shared chunks: an array of its own
// for 60 bytes would cost three times its content and give the garbage collector an object to look after.
// The price: a chunk lives as long as any piece in it.

const CHUNK = 16_384;
/** Larger pieces get memory of their own, so that a piece never pins much more than itself. */
const LARGEST = 2_048;

let chunk = new Uint8Array(CHUNK);
let used = 0;

/** Where a piece was put. One for all: read it before the next call. */
export const kept: { bytes: Uint8Array; start: number } = { bytes: chunk, start: 0 };

/** Copies `source` from `start` to `end` to memory that stays, and says in `kept` where. */
export function keepBytes(source: Uint8Array, start: number, end: number): void {
  const length = end - start;
  if (length > LARGEST) {
    kept.bytes = new Uint8Array(length);
    kept.start = 0;
  } else {
    if (used + length > CHUNK) {
      chunk = new Uint8Array(CHUNK);
      used = 0;
    }
    kept.bytes = chunk;
    kept.start = used;
    used += length;
  }
  kept.bytes.set(source.subarray(start, end), kept.start);
}
