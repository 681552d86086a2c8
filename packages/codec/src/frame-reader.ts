// Cuts a byte stream into packets: finds where each one begins and ends and looks no further.
//
//   push(bytes, start, end)  a view that is valid only until next() has returned false
//   next()                   true: `header`, `bytes`, `frameStart`, `bodyStart`, `bodyEnd` describe one whole packet
//
// Packets that lie whole inside a pushed view are described in place, with no copy. The tail of a packet that has not
// arrived whole is copied aside; its length was checked against `maxPacketSize` before anything was allocated for it.
import { MqttError } from "./errors.ts";
import { ReasonCode } from "./reason-code.ts";

const NOTHING = new Uint8Array(0);
/** How much is set aside at first for a packet in parts: a peer gets more only by sending more. */
const FIRST_ALLOCATION = 4096;

export class FrameReader {
  /** The fixed header's first byte: packet type and flags. */
  header: number = 0;
  /** Where the packet lies. */
  bytes: Uint8Array = NOTHING;
  frameStart: number = 0;
  bodyStart: number = 0;
  bodyEnd: number = 0;
  /** Bytes, fixed header included; a longer packet is refused when its length is known. */
  maxPacketSize: number;

  #position = 0;
  #end = 0;
  #partial: Uint8Array | undefined;
  #partialLength = 0;

  constructor(maxPacketSize: number = 268_435_460) {
    this.maxPacketSize = maxPacketSize;
  }

  /** Bytes that are kept until the rest of their packet arrives. */
  get pending(): number {
    return this.#partialLength;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    if (this.#partial === undefined) {
      this.bytes = bytes;
      this.#position = start;
      this.#end = end;
    } else {
      this.#append(bytes, start, end);
    }
  }

  /** @throws MqttError 0x81 for a malformed Remaining Length, 0x95 for a packet over `maxPacketSize` */
  next(): boolean {
    const bytes = this.bytes;
    const start = this.#position;
    const end = this.#end;
    if (start < end) {
      let position = start + 1;
      let length = 0;
      for (let shift = 0; position < end; shift += 7) {
        const byte = bytes[position++] as number;
        length |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
          // A Remaining Length of more bytes than it needs is not the shortest form. [MQTT-1.5.5-1]
          if (byte === 0 && shift > 0)
            throw new MqttError(ReasonCode.MalformedPacket, "Remaining Length is not in its shortest form");
          if (position - start + length > this.maxPacketSize)
            throw new MqttError(ReasonCode.PacketTooLarge, "packet exceeds the maximum packet size");
          if (length > end - position) break;
          this.header = bytes[start] as number;
          this.frameStart = start;
          this.bodyStart = position;
          this.bodyEnd = position + length;
          this.#position = position + length;
          return true;
        }
        if (shift === 21) throw new MqttError(ReasonCode.MalformedPacket, "Remaining Length has more than four bytes");
      }
      this.#keep(bytes, start, end);
      return false;
    }
    this.#clear();
    return false;
  }

  /** Stops in the middle: copies all that was pushed and not yet read, so that the pushed view may go. */
  suspend(): void {
    if (this.#position < this.#end) this.#keep(this.bytes, this.#position, this.#end);
    else this.#clear();
  }

  #clear(): void {
    this.#partial = undefined;
    this.#partialLength = 0;
    this.bytes = NOTHING;
    this.#position = 0;
    this.#end = 0;
  }

  /** Copies the tail that is not a whole packet yet, unless it already lies in our own buffer. */
  #keep(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (bytes === this.#partial) {
      if (start > 0) bytes.copyWithin(0, start, end);
    } else {
      this.#partial = new Uint8Array(Math.max(FIRST_ALLOCATION, length));
      this.#partial.set(bytes.subarray(start, end));
    }
    this.#partialLength = length;
    this.bytes = this.#partial as Uint8Array;
    this.#position = 0;
    this.#end = length;
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    let partial = this.#partial as Uint8Array;
    const needed = this.#partialLength + end - start;
    if (needed > partial.length) {
      const grown = new Uint8Array(Math.max(needed, partial.length * 2));
      grown.set(partial.subarray(0, this.#partialLength));
      partial = grown;
      this.#partial = partial;
    }
    partial.set(bytes.subarray(start, end), this.#partialLength);
    this.#partialLength = needed;
    this.bytes = partial;
    this.#position = 0;
    this.#end = needed;
  }
}
