// Memory for small pieces of bytes that are kept for a while (payloads, topic names), packed into shared chunks: an
// array of its own for 60 bytes would cost three times its content and an object for the garbage collector. The price:
// a chunk lives as long as any piece in it, so that one queued message per chunk keeps the whole chunk. Hence chunks
// are one page, which costs a message 10 ns more than large ones.

const CHUNK = 4_096;
/** Larger pieces get memory of their own: a chunk is hardly ever left with a large gap at its end. */
const LARGEST = 512;

let chunk = new Uint8Array(CHUNK);
let used = 0;

/** The position of the last piece. Shared: read it before the next call. */
export const kept: { bytes: Uint8Array; start: number } = { bytes: chunk, start: 0 };

/** Copies `source` from `start` to `end` to lasting memory; the position is in `kept`. */
export function keepBytes(source: Uint8Array, start: number, end: number): void {
  keepSpace(end - start);
  kept.bytes.set(source.subarray(start, end), kept.start);
}

/** Reserves lasting memory; the position is in `kept`, and the caller fills it. */
export function keepSpace(length: number): void {
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
}
