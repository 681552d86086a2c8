// A cursor over part of a byte array: every read is checked against the end, and nothing is allocated by a length that
// was not checked. [MQTT5 1.5]
import { MqttError, malformed, violation } from "./errors.ts";
import { ReasonCode } from "./reason-code.ts";
import { decodeUtf8 } from "./utf8.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
/** No packet has as many bytes. */
export const ANY_NUMBER = 268_435_460;

/** All methods throw MqttError 0x81 rather than read past `end`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  position: number;
  /** Where reading has to stop; narrowed while a part of known length is read. */
  end: number;
  /** Entries that the lists in the packet (user properties, topic filters) may still have, all together. */
  #itemsLeft: number;

  constructor(bytes: Uint8Array, start: number, end: number, maxItems: number = ANY_NUMBER) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.#itemsLeft = maxItems;
  }

  get atEnd(): boolean {
    return this.position === this.end;
  }

  /** Call it before each entry of a list: as objects these are many times larger than their bytes. @throws MqttError 0x97 */
  item(): void {
    if (this.#itemsLeft-- <= 0) {
      throw new MqttError(ReasonCode.QuotaExceeded, "too many user properties or topic filters in one packet");
    }
  }

  uint8(): number {
    if (this.position >= this.end) throw tooShort();
    return this.bytes[this.position++]!;
  }

  uint16(): number {
    const at = this.position;
    if (this.end - at < 2) throw tooShort();
    this.position = at + 2;
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16();
  }

  /** [MQTT5 1.5.5] */
  variableByteInteger(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.uint8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) throw malformed("a Variable Byte Integer is not in its shortest form");
        return value;
      }
    }
    throw malformed("a Variable Byte Integer has more than four bytes");
  }

  /** @throws MqttError 0x82 for 0, which identifies no packet [MQTT5 2.2.1] */
  packetId(): number {
    const id = this.uint16();
    if (id === 0) throw violation("the Packet Identifier is 0");
    return id;
  }

  /** A UTF-8 Encoded String. [MQTT5 1.5.4] */
  string(): string {
    const start = this.#field();
    return decodeUtf8(this.bytes, start, this.position);
  }

  /** Binary Data, as a view of the bytes. [MQTT5 1.5.6] */
  binary(): Uint8Array {
    const start = this.#field();
    return this.#view(start, this.position);
  }

  /** All that is left, as a view of the bytes. */
  rest(): Uint8Array {
    const start = this.position;
    this.position = this.end;
    return this.#view(start, this.end);
  }

  /** Steps over a field that begins with its two-byte length, and returns where its content starts. */
  #field(): number {
    const length = this.uint16();
    const start = this.position;
    if (length > this.end - start) throw tooShort();
    this.position = start + length;
    return start;
  }

  #view(start: number, end: number): Uint8Array {
    if (start === end) return EMPTY;
    // Not subarray(): of a Node Buffer that would be another Buffer.
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + start, end - start);
  }
}

function tooShort(): Error {
  return malformed("a field reaches past the end of its packet");
}
