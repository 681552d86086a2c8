// Finds the ends of MQTT packets in a stream of bytes, for WebSocket frames that contain one packet each. It reads the
// Remaining Length only. [MQTT5 2.1.4]

/** Bits of a Remaining Length of four bytes. */
const MOST_BITS = 28;
/** At the first byte of a packet. */
const AT_START = -1;

export class PacketCutter {
  /** Bytes of the packet that have not arrived. */
  #left = 0;
  /** Bits of the Remaining Length that have been read. */
  #bits = AT_START;
  #length = 0;

  /** @returns the end of the packet at `at`, or `end` if the packet goes on after it; call it again from there */
  next(bytes: Uint8Array, at: number, end: number): number {
    let position = at;
    if (this.#left === 0) {
      if (this.#bits === AT_START && position < end) {
        position++;
        this.#bits = 0;
        this.#length = 0;
      }
      for (;;) {
        if (position === end) return end;
        const byte = bytes[position++] as number;
        this.#length |= (byte & 0x7f) << this.#bits;
        this.#bits += 7;
        if (byte < 0x80) break;
        // Not an MQTT packet: the bytes pass as they are.
        if (this.#bits === MOST_BITS) {
          this.#length = end - position;
          break;
        }
      }
      this.#bits = AT_START;
      this.#left = this.#length;
    }
    const stop = Math.min(end, position + this.#left);
    this.#left -= stop - position;
    return stop;
  }
}
