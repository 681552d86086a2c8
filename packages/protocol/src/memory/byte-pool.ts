// Small pieces of bytes that are kept for a while (payloads, topic names), packed into shared chunks: an array of its own
// for 60 bytes would cost three times its content and give the garbage collector an object to look after.
// The price: a chunk lives as long as any piece in it. One message that a client is away for, in each chunk that a busy
// broker fills, holds on to all of it; hence chunks of one page, which cost a message 10 ns more than large ones.

const CHUNK = 4_096;
/** Larger pieces get memory of their own: a chunk is hardly ever left with a large gap at its end. */
const LARGEST = 512;

let chunk = new Uint8Array(CHUNK);
let used = 0;

/** Where a piece was put. One for all: read it before the next call. */
export const kept: { bytes: Uint8Array; start: number } = { bytes: chunk, start: 0 };

/** Copies `source` from `start` to `end` to memory that stays, and says in `kept` where. */
export function keepBytes(source: Uint8Array, start: number, end: number): void {
  keepSpace(end - start);
  kept.bytes.set(source.subarray(start, end), kept.start);
}

/** Says in `kept` where there is memory that stays; the caller fills it. */
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
