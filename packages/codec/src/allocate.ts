// Room for encoded packets. An ArrayBuffer of its own for each small packet would cost more than encoding it does, so
// small packets are cut from slabs, as Node does for small Buffers.

const SLAB_SIZE = 16_384;
/** Larger arrays are not cut from a slab: they would waste its end, and keep little else alive. */
const LARGEST_CUT = 2048;

let slab: ArrayBuffer = new ArrayBuffer(0);
let used = 0;

/** Zeros of this length, which may share their ArrayBuffer with others from here. */
export function allocate(length: number): Uint8Array {
  if (length > LARGEST_CUT) return new Uint8Array(length);
  if (length > slab.byteLength - used) {
    slab = new ArrayBuffer(SLAB_SIZE);
    used = 0;
  }
  const bytes = new Uint8Array(slab, used, length);
  used += length;
  return bytes;
}
