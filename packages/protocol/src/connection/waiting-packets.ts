// Packets of one connection that wait for their turn: PUBLISH while publishes are held back, and everything that must
// not overtake it. Acknowledgements and PINGREQ never wait here. First in, first out; each packet is a copy of its own.
import { FrameReader, PacketType } from "@wrenmq/codec";
import { copyBytes } from "../memory/copy-bytes.ts";

/** Forget the packets that have left when there are so many. */
const MOST_GONE = 256;

/**
 * May a packet of this type be processed while earlier ones wait? It belongs to the other direction, or has no order.
 */
export function mayOvertake(type: number): boolean {
  return (type >= PacketType.Puback && type <= PacketType.Pubcomp) || type === PacketType.Pingreq;
}

export class WaitingPackets {
  /** Bytes of the packets that wait. */
  bytes: number = 0;
  readonly #frame: FrameReader = new FrameReader();
  #packets: (Uint8Array | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#packets.length - this.#head;
  }

  /** Type and flags of the first; 0 when there is none. */
  get header(): number {
    return this.#packets[this.#head]?.[0] ?? 0;
  }

  add({ bytes, frameStart, bodyEnd }: FrameReader): void {
    this.#packets.push(copyBytes(bytes, frameStart, bodyEnd));
    this.bytes += bodyEnd - frameStart;
  }

  /** Takes the first out. The reader describes it until the next call. */
  take(): FrameReader {
    const packet = this.#packets[this.#head] as Uint8Array;
    this.#packets[this.#head++] = undefined;
    this.bytes -= packet.length;
    if (this.#head > MOST_GONE && this.#head * 2 > this.#packets.length) {
      this.#packets = this.#packets.slice(this.#head);
      this.#head = 0;
    }
    this.#frame.push(packet, 0, packet.length);
    this.#frame.next();
    return this.#frame;
  }
}
