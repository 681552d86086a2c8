// Reads what RecordWriter has written. Every read is checked against the end: invalid bytes end in a DamagedError,
// never in a wrong value.

/** The bytes are not what was written. */
export class DamagedError extends Error {
  override readonly name: string = "DamagedError";
}

export class RecordReader {
  readonly buffer: Buffer;
  position: number;
  readonly end: number;

  constructor(buffer: Buffer, start = 0, end: number = buffer.length) {
    this.buffer = buffer;
    this.position = start;
    this.end = end;
  }

  get more(): boolean {
    return this.position < this.end;
  }

  u8(): number {
    if (this.position >= this.end) this.take(1);
    return this.buffer[this.position++]!;
  }

  u16(): number {
    return this.buffer.readUInt16LE(this.take(2));
  }

  u32(): number {
    return this.buffer.readUInt32LE(this.take(4));
  }

  f64(): number {
    return this.buffer.readDoubleLE(this.take(8));
  }

  varint(): number {
    const low = this.u8();
    if (low < 0x80) return low;
    const value = this.#digits(low & 0x7f, 7);
    if (value >= 0) return value;
    // More than 28 bits: the rest counts in steps of 2^28.
    const rest = this.#digits(0, 0);
    if (rest < 0) throw new DamagedError("a number is longer than eight bytes");
    return rest * 0x10000000 + ~value;
  }

  /**
   * Adds groups of seven bits to `value`, up to 28 bits.
   * @returns the bitwise complement (negative) when more groups follow
   */
  #digits(value: number, from: number): number {
    let sum = value;
    for (let shift = from; shift < 28; shift += 7) {
      const byte = this.u8();
      sum |= (byte & 0x7f) << shift;
      if (byte < 0x80) return sum;
    }
    return ~sum;
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const size = this.varint();
    const start = this.take(size);
    return new Uint8Array(this.buffer.buffer, this.buffer.byteOffset + start, size);
  }

  string(): string {
    const size = this.varint();
    const start = this.take(size);
    return this.buffer.toString("utf8", start, start + size);
  }

  /**
   * Skips `size` bytes.
   * @returns where they begin
   */
  take(size: number): number {
    const start = this.position;
    if (size > this.end - start) throw new DamagedError(`${size} bytes expected, ${this.end - start} left`);
    this.position = start + size;
    return start;
  }
}
