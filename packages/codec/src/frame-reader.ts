// Cuts a byte stream into packets: finds where each one begins and ends and looks no further.
//
//   push(bytes, start, end)  a view that is valid only until next() has returned false
//   next()                   true: `header`, `bytes`, `frameStart`, `bodyStart`, `bodyEnd` describe one whole packet
//
// Packets that lie whole inside a pushed view are described in place, with no copy. Only a packet that is cut by the end
// of a view is copied: its head aside, then what it still needs of the next view; the rest of that is read in place again.
// Its length was checked against `maxPacketSize` before anything was allocated for it.
import { MqttError } from "./errors.ts";
import { ReasonCode } from "./reason-code.ts";

const NOTHING = new Uint8Array(0);
/** How much is set aside at first for a packet in parts: a peer gets more only by sending more. */
const FIRST_ALLOCATION = 4096;
/** By how much what is set aside may be larger than what was sent. */
const GENEROSITY = 4;
/** Bytes of the fixed header: type and Remaining Length. */
const LONGEST_HEADER = 5;

/** Memory for packets that come in parts; without one each packet gets its own, as zeroed pages. */
export interface PacketMemory {
  /** At least `size` bytes, whatever is in them. */
  take(size: number): Uint8Array;
  /** These bytes are not used any more. */
  give(bytes: Uint8Array): void;
}

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
  readonly #memory: PacketMemory | undefined;
  /** Held the packet that was cut and is whole now: its view ends with those of the push that completed it. */
  #spent: Uint8Array | undefined;
  /** Holds the packet that was cut, from 0 to `#partialLength`. */
  #partial: Uint8Array | undefined;
  #partialLength = 0;
  /** What of the pushed view comes behind `#partial`. */
  #rest: Uint8Array = NOTHING;
  #restStart = 0;
  #restEnd = 0;

  constructor(maxPacketSize: number = 268_435_460, memory?: PacketMemory) {
    this.maxPacketSize = maxPacketSize;
    this.#memory = memory;
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
      this.#rest = bytes;
      this.#restStart = start;
      this.#restEnd = end;
    }
  }

  /** @throws MqttError 0x81 for a malformed Remaining Length, 0x95 for a packet over `maxPacketSize` */
  next(): boolean {
    for (;;) {
      const bytes = this.bytes;
      const start = this.#position;
      const end = this.#end;
      if (start >= end) {
        if (!this.#goOnInPlace()) return this.#allRead();
        continue;
      }
      let position = start + 1;
      let length = 0;
      /** Bytes of the whole packet; 0 while they are not known. */
      let total = 0;
      for (let shift = 0; position < end; shift += 7) {
        const byte = bytes[position++] as number;
        length |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
          // A Remaining Length of more bytes than it needs is not the shortest form. [MQTT-1.5.5-1]
          if (byte === 0 && shift > 0)
            throw new MqttError(ReasonCode.MalformedPacket, "Remaining Length is not in its shortest form");
          total = position - start + length;
          if (total > this.maxPacketSize)
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
      this.#keep(bytes, start, end, total);
      if (this.#restStart === this.#restEnd) return this.#allRead();
      this.#complete(total);
    }
  }

  /** Stops in the middle: copies all that was pushed and not yet read, so that the pushed view may go. */
  suspend(): void {
    if (this.#position < this.#end) this.#keep(this.bytes, this.#position, this.#end, 0);
    else if (!this.#goOnInPlace()) return;
    else this.#keep(this.bytes, this.#position, this.#end, 0);
    this.#take(this.#restEnd - this.#restStart, 0);
  }

  /** @returns false, what `next` then says; the views that were given are not valid any more */
  #allRead(): false {
    if (this.#spent !== undefined) this.#memory?.give(this.#spent);
    this.#spent = undefined;
    return false;
  }

  /**
   * Continues after the incomplete packet with the rest of the view.
   * @returns false: there is none, all has been read
   */
  #goOnInPlace(): boolean {
    if (this.#partial !== undefined) this.#spent = this.#partial;
    this.#partial = undefined;
    this.#partialLength = 0;
    this.bytes = this.#rest;
    this.#position = this.#restStart;
    this.#end = this.#restEnd;
    this.#rest = NOTHING;
    this.#restStart = 0;
    this.#restEnd = 0;
    return this.#position < this.#end;
  }

  /** Copies the tail that is not a whole packet yet, unless it already lies in our own buffer. */
  #keep(bytes: Uint8Array, start: number, end: number, total: number): void {
    const length = end - start;
    if (bytes === this.#partial) {
      if (start > 0) bytes.copyWithin(0, start, end);
    } else {
      const size = Math.max(FIRST_ALLOCATION, length, Math.min(total, length * GENEROSITY));
      this.#partial = this.#memory?.take(size) ?? new Uint8Array(size);
      this.#partial.set(bytes.subarray(start, end));
      this.bytes = this.#partial;
    }
    this.#partialLength = length;
    this.#position = 0;
    this.#end = length;
  }

  /** Takes from the rest of the view what the packet that was cut still needs, or what tells how much that is. */
  #complete(total: number): void {
    const needed = (total === 0 ? LONGEST_HEADER : total) - this.#partialLength;
    this.#take(Math.min(Math.max(1, needed), this.#restEnd - this.#restStart), total);
  }

  #take(count: number, total: number): void {
    if (count === 0) return;
    let partial = this.#partial as Uint8Array;
    const length = this.#partialLength + count;
    if (length > partial.length) {
      const size = Math.max(length, Math.min(total, length * GENEROSITY));
      const grown = this.#memory?.take(size) ?? new Uint8Array(size);
      grown.set(partial.subarray(0, this.#partialLength));
      this.#memory?.give(partial);
      partial = grown;
      this.#partial = partial;
    }
    partial.set(this.#rest.subarray(this.#restStart, this.#restStart + count), this.#partialLength);
    this.#restStart += count;
    if (this.#restStart === this.#restEnd) {
      this.#rest = NOTHING;
      this.#restStart = 0;
      this.#restEnd = 0;
    }
    this.bytes = partial;
    this.#partialLength = length;
    this.#position = 0;
    this.#end = length;
  }
}
