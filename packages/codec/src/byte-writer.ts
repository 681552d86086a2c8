// Bytes appended to one buffer that grows. Lengths that are known only afterwards are patched in. [MQTT5 1.5]
import { allocate } from "./allocate.ts";
import { InvalidPacketError, PacketRangeError } from "./errors.ts";
import { writeUtf8 } from "./utf8.ts";

/** The largest Variable Byte Integer, and so the largest Remaining Length. [MQTT5 1.5.5] */
export const MAX_VARIABLE_BYTE_INTEGER = 268_435_455;

/** How many bytes `value` has as a Variable Byte Integer (1 to 4). [MQTT5 1.5.5] */
export function variableByteIntegerLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

/** Writes a Variable Byte Integer, in its shortest form, and returns the position after it. [MQTT-1.5.5-1] */
export function writeVariableByteInteger(bytes: Uint8Array, start: number, value: number): number {
  let position = start;
  let rest = value;
  for (; rest > 0x7f; rest >>= 7) bytes[position++] = (rest & 0x7f) | 0x80;
  bytes[position++] = rest;
  return position;
}

/** @throws PacketRangeError unless `value` is an integer from 0 to `max` */
export function checkInteger(value: number, max: number): void {
  if (typeof value !== "number") throw new InvalidPacketError(`a number is needed, not ${typeof value}`);
  if (!(value >= 0 && value <= max && Number.isInteger(value))) {
    throw new PacketRangeError(`${value} is not an integer from 0 to ${max}`);
  }
}

/** Collects encoded packets: see `encodeInto`. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** @param capacity bytes to set aside at first; it grows as needed */
  constructor(capacity: number = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length;
  }

  /** How many bytes there is room for before the buffer has to grow. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** What was written, as a view that is valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was written, as a copy, which may share its ArrayBuffer with others. */
  toBytes(): Uint8Array {
    const copy = allocate(this.#length);
    // Most packets but PUBLISH have a few bytes, which are copied faster one by one.
    if (this.#length > 8) copy.set(this.view());
    else for (let at = 0; at < this.#length; at++) copy[at] = this.#bytes[at]!;
    return copy;
  }

  /** Takes back what was written after `length` bytes; the buffer stays. */
  truncate(length: number): void {
    if (length < this.#length) this.#length = length;
  }

  /** Makes room for `count` more bytes, counts them as written and returns the buffer: they begin `count` before `length`. */
  extend(count: number): Uint8Array {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.view());
      this.#bytes = grown;
    }
    this.#length = needed;
    return this.#bytes;
  }

  uint8(value: number): void {
    checkInteger(value, 0xff);
    const bytes = this.extend(1);
    bytes[this.#length - 1] = value;
  }

  uint16(value: number): void {
    checkInteger(value, 0xffff);
    const bytes = this.extend(2);
    bytes[this.#length - 2] = value >> 8;
    bytes[this.#length - 1] = value;
  }

  uint32(value: number): void {
    checkInteger(value, 0xffff_ffff);
    const bytes = this.extend(4);
    const at = this.#length - 4;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  variableByteInteger(value: number): void {
    checkInteger(value, MAX_VARIABLE_BYTE_INTEGER);
    const start = this.#length;
    writeVariableByteInteger(this.extend(variableByteIntegerLength(value)), start, value);
  }

  /** @throws PacketRangeError unless it is 1 to 65,535 [MQTT5 2.2.1] */
  packetId(value: number): void {
    if (value === 0) throw new PacketRangeError("the Packet Identifier is 0");
    this.uint16(value);
  }

  /** A UTF-8 Encoded String. [MQTT5 1.5.4] */
  string(text: string): void {
    if (typeof text !== "string") throw new InvalidPacketError(`a string is needed, not ${typeof text}`);
    if (text.length > 0xffff) throw tooLong();
    const start = this.#length + 2;
    const bytes = this.extend(2 + text.length * 3);
    const end = writeUtf8(bytes, start, text);
    this.#length = end;
    const length = end - start;
    if (length > 0xffff) throw tooLong();
    bytes[start - 2] = length >> 8;
    bytes[start - 1] = length;
  }

  /** Binary Data. [MQTT5 1.5.6] */
  binary(data: Uint8Array): void {
    if (!(data instanceof Uint8Array)) throw new InvalidPacketError("a Uint8Array is needed");
    if (data.length > 0xffff) throw tooLong();
    const start = this.#length + 2;
    const bytes = this.extend(2 + data.length);
    bytes[start - 2] = data.length >> 8;
    bytes[start - 1] = data.length;
    bytes.set(data, start);
  }

  /** Leaves room for a Variable Byte Integer that will count the bytes written from here to `endLength`. */
  beginLength(): number {
    this.extend(1);
    return this.#length;
  }

  /** @param start what `beginLength` returned */
  endLength(start: number): void {
    const length = this.#length - start;
    if (length > MAX_VARIABLE_BYTE_INTEGER) throw new PacketRangeError("the packet is too large for MQTT");
    const more = variableByteIntegerLength(length) - 1;
    if (more > 0) this.extend(more).copyWithin(start + more, start, start + length);
    writeVariableByteInteger(this.#bytes, start - 1, length);
  }
}

function tooLong(): PacketRangeError {
  return new PacketRangeError("a string or binary field has more than 65,535 bytes");
}
