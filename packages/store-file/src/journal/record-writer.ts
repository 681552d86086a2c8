// Builds one frame of the journal in a buffer that grows and is reused for the next. All numbers are little endian,
// counts and identifiers LEB128 (7 bits a byte).

const START_BYTES = 64 * 1024;
const KEEP_BYTES = 4 * 1024 * 1024;
/** Below this length a loop is faster than the call into native code. */
const SHORT_STRING = 24;

export class RecordWriter {
  buffer: Buffer;
  length = 0;

  /** @param startBytes initial size of the buffer */
  constructor(startBytes: number = START_BYTES) {
    this.buffer = Buffer.allocUnsafeSlow(startBytes);
  }

  /** Starts again at the front; the memory of an unusually large frame is released. */
  reset(): void {
    this.length = 0;
    if (this.buffer.length > KEEP_BYTES) this.buffer = Buffer.allocUnsafeSlow(START_BYTES);
  }

  view(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  /** Reserves bytes. */
  skip(size: number): void {
    this.#need(size);
    this.length += size;
  }

  u8(value: number): void {
    this.#need(1);
    this.buffer[this.length++] = value;
  }

  /** @throws RangeError when it is not a whole number from 0 to 2^53 − 1 */
  varint(value: number): void {
    this.#need(8);
    const { buffer } = this;
    let at = this.length;
    let rest = value;
    if (value >>> 0 !== value) {
      if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} cannot be stored`);
      // Message numbers are that large. Each half can be handled with 32-bit integer operations.
      rest = Math.floor(value / 0x10000000);
      const low = value - rest * 0x10000000;
      buffer[at++] = low | 0x80;
      buffer[at++] = (low >>> 7) | 0x80;
      buffer[at++] = (low >>> 14) | 0x80;
      buffer[at++] = (low >>> 21) | 0x80;
    }
    while (rest >= 0x80) {
      buffer[at++] = rest | 0x80;
      rest >>>= 7;
    }
    buffer[at++] = rest;
    this.length = at;
  }

  f64(value: number): void {
    this.#need(8);
    this.length = this.buffer.writeDoubleLE(value, this.length);
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#need(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
  }

  raw(value: Uint8Array): void {
    this.#need(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
  }

  string(value: string): void {
    if (value.length < SHORT_STRING && this.#ascii(value)) return;
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.#need(size);
    this.length += this.buffer.write(value, this.length);
  }

  /** Reserves four bytes for a length, which `endBlock` fills in. */
  beginBlock(): number {
    this.#need(4);
    this.length += 4;
    return this.length;
  }

  endBlock(start: number): void {
    this.buffer.writeUInt32LE(this.length - start, start - 4);
  }

  #ascii(value: string): boolean {
    this.#need(SHORT_STRING + 1);
    const { buffer } = this;
    let at = this.length;
    buffer[at++] = value.length;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[at++] = code;
    }
    this.length = at;
    return true;
  }

  #need(size: number): void {
    const needed = this.length + size;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    grown.set(this.view());
    this.buffer = grown;
  }
}
