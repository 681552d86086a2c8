// A set of packet identifiers. Clients hand them out in sequence, so those of a window fall into different slots of a
// small table, each at its identifier modulo the length. Where two would share a slot the table grows; a client that
// picks its identifiers at random gets one bit for each of the 65,535 in the end.

const FIRST_SLOTS = 16;
/** As many bytes as the bits take. */
const MOST_SLOTS = 4_096;
const PACKET_IDS = 65_536;
const NO_SLOTS = new Uint16Array(0);

export class PacketIdSet {
  size: number = 0;
  /** Packet identifiers, which are never 0: that is an empty slot. Unused when there are bits. */
  #slots = new Uint16Array(FIRST_SLOTS);
  #bits: Uint32Array | undefined = undefined;

  has(packetId: number): boolean {
    if (this.#bits !== undefined) return ((this.#bits[packetId >>> 5] as number) & (1 << (packetId & 31))) !== 0;
    // A PUBREL may name 0.
    return packetId !== 0 && this.#slots[packetId & (this.#slots.length - 1)] === packetId;
  }

  add(packetId: number): void {
    if (this.#bits !== undefined) {
      this.#addBit(this.#bits, packetId);
      return;
    }
    const slots = this.#slots;
    const slot = packetId & (slots.length - 1);
    const taken = slots[slot] as number;
    if (taken === packetId) return;
    if (taken === 0) {
      slots[slot] = packetId;
      this.size++;
      return;
    }
    this.#grow(packetId, taken);
    this.add(packetId);
  }

  /** @returns was it there? */
  delete(packetId: number): boolean {
    if (!this.has(packetId)) return false;
    if (this.#bits !== undefined)
      this.#bits[packetId >>> 5] = (this.#bits[packetId >>> 5] as number) & ~(1 << (packetId & 31));
    else this.#slots[packetId & (this.#slots.length - 1)] = 0;
    this.size--;
    return true;
  }

  #addBit(bits: Uint32Array, packetId: number): void {
    if (this.has(packetId)) return;
    bits[packetId >>> 5] = (bits[packetId >>> 5] as number) | (1 << (packetId & 31));
    this.size++;
  }

  /** Until these two have slots of their own. Those of the others stay different in a longer table. */
  #grow(packetId: number, other: number): void {
    const old = this.#slots;
    let length = old.length * 2;
    while (((packetId ^ other) & (length - 1)) === 0) length *= 2;
    if (length <= MOST_SLOTS) {
      const slots = new Uint16Array(length);
      for (const held of old) if (held !== 0) slots[held & (length - 1)] = held;
      this.#slots = slots;
      return;
    }
    const bits = new Uint32Array(PACKET_IDS / 32);
    for (const held of old) if (held !== 0) bits[held >>> 5] = (bits[held >>> 5] as number) | (1 << (held & 31));
    this.#slots = NO_SLOTS;
    this.#bits = bits;
  }
}
