// Numbers and texts in frames: written at a position, read with a check of the bounds. Big-endian.
import { decodeUtf8 } from "@wrenmq/codec";
import { malformed } from "../errors.ts";

const scratch = new Uint8Array(8);
const double = new DataView(scratch.buffer);

export function putUint16(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
  return at + 2;
}

export function putUint32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}

export function putDouble(bytes: Uint8Array, at: number, value: number): number {
  double.setFloat64(0, value);
  for (let index = 0; index < 8; index++) bytes[at + index] = scratch[index] as number;
  return at + 8;
}

/** Up to this length a loop is faster than a call of `set`. */
const SHORT = 32;

export function putBytes(bytes: Uint8Array, at: number, value: Uint8Array): number {
  const { length } = value;
  if (length > SHORT) bytes.set(value, at);
  else for (let index = 0; index < length; index++) bytes[at + index] = value[index] as number;
  return at + length;
}

/**
 * Reads fields one after the other between two bounds.
 * @throws ClusterError ERR_CLUSTER_FRAME beyond them
 */
export class FieldReader {
  bytes: Uint8Array = new Uint8Array(0);
  position: number = 0;
  end: number = 0;

  over(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    return this;
  }

  get left(): number {
    return this.end - this.position;
  }

  uint8(): number {
    return this.bytes[this.skip(1)] as number;
  }

  uint16(): number {
    const at = this.skip(2);
    return ((this.bytes[at] as number) << 8) | (this.bytes[at + 1] as number);
  }

  uint32(): number {
    const at = this.skip(4);
    const { bytes } = this;
    const low = ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    return (bytes[at] as number) * 0x1000000 + low;
  }

  double(): number {
    const at = this.skip(8);
    for (let index = 0; index < 8; index++) scratch[index] = this.bytes[at + index] as number;
    return double.getFloat64(0);
  }

  /** A text of `length` bytes. Default: the rest. */
  text(length: number = this.left): string {
    const at = this.skip(length);
    try {
      return decodeUtf8(this.bytes, at, at + length);
    } catch {
      throw malformed("a text that is not UTF-8");
    }
  }

  /** @returns where the skipped bytes begin */
  skip(length: number): number {
    const at = this.position;
    if (length > this.end - at) throw malformed("shorter than its parts");
    this.position = at + length;
    return at;
  }
}
