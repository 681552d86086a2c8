// Reads what ByteWriter wrote. Every read is checked against the end: bytes that make no sense end in DamagedError, never
// in a value made up.

/** The bytes are not what was written. */
export class DamagedError extends Error {
  override readonly name: string = "DamagedError";
}

export class ByteReader {
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
    return this.buffer[this.take(1)]!;
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
    let byte = this.u8();
    let value = byte & 0x7f;
    let scale = 0x80;
    while (byte >= 0x80) {
      byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (scale > 2 ** 56) throw new DamagedError("a number is longer than eight bytes");
    }
    return value;
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

  /** Moves past `size` bytes and says where they start. */
  take(size: number): number {
    const start = this.position;
    if (size > this.end - start) throw new DamagedError(`${size} bytes expected, ${this.end - start} left`);
    this.position = start + size;
    return start;
  }
}
