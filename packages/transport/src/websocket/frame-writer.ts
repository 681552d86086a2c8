// Makes frames for a WebSocket client: one MQTT packet in each, in as few pieces of memory as possible. Some clients
// (Paho for C and C++) read only one packet of each frame. [RFC 6455, 5.2]

import { Opcode } from "./frame-reader.ts";
import { PacketCutter } from "./packet-cutter.ts";

const FINAL = 0x80;
/** Bytes of a packet from which on a second piece costs less than a copy. */
const LARGE = 16_384;

/**
 * Bytes of the memory for the frames of all connections, used again and again: most writes to a socket are done when
 * they return, and it is large enough for what one turn of the event loop sends to a client. A write that is not done
 * keeps the memory, and a new one is allocated.
 */
const SPARE = 98_304;
let spare: Uint8Array | undefined;
let lent: Uint8Array | undefined;

/** Ends of the packets that are being framed; filled and used in one synchronous call. */
const ends: number[] = [];

export class WsFrameWriter {
  readonly #cutter = new PacketCutter();

  /**
   * Frames for all these bytes. A packet whose end is not among them continues in the next frame. Large packets are not
   * copied.
   * @param isQuick do writes normally finish before the next call? Then call `framesWritten` after them
   */
  frames(bytes: Uint8Array, isQuick: boolean): readonly Uint8Array[] {
    lent = undefined;
    const count = this.#cut(bytes);
    const pieces: Uint8Array[] = [];
    for (let index = 0, start = 0; index < count; ) {
      const end = ends[index] as number;
      if (end - start >= LARGE) {
        pieces.push(header(end - start), bytes.subarray(start, end));
        start = end;
        index++;
        continue;
      }
      let next = index;
      let at = start;
      let size = 0;
      for (; next < count; next++) {
        const length = (ends[next] as number) - at;
        if (length >= LARGE) break;
        size += headerLength(length) + length;
        at += length;
      }
      pieces.push(framed(isQuick ? memory(size) : Buffer.allocUnsafe(size), bytes, start, index, next));
      start = at;
      index = next;
    }
    return pieces;
  }

  /**
   * Fills `ends`.
   * @returns the number of packets
   */
  #cut(bytes: Uint8Array): number {
    let count = 0;
    for (let at = 0; at < bytes.length; count++) {
      at = this.#cutter.next(bytes, at, bytes.length);
      ends[count] = at;
    }
    return count;
  }
}

/** The last frames have been written: their memory may be reused. */
export function framesWritten(): void {
  if (lent === undefined) return;
  spare = lent;
  lent = undefined;
}

function memory(size: number): Uint8Array {
  if (size > SPARE || lent !== undefined) return Buffer.allocUnsafe(size);
  lent = spare ?? Buffer.allocUnsafeSlow(SPARE);
  spare = undefined;
  return lent.subarray(0, size);
}

/**
 * The close frame.
 * @param code undefined: without a code
 */
export function closeFrame(code: number | undefined): Uint8Array {
  return code === undefined
    ? Uint8Array.of(FINAL | Opcode.Close, 0)
    : Uint8Array.of(FINAL | Opcode.Close, 2, code >> 8, code & 0xff);
}

/** The pong frame that answers a ping. */
export function pongFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + payload.length);
  frame[0] = FINAL | Opcode.Pong;
  frame[1] = payload.length;
  frame.set(payload, 2);
  return frame;
}

/**
 * Fills `target` with frames of the packets that begin at `start` and end at `ends[from]` to `ends[to - 1]`; it has
 * exactly the length of these. The packets are first copied to its end in one piece, then each moves forward as headers
 * are written: no view per packet is needed.
 */
function framed(target: Uint8Array, bytes: Uint8Array, start: number, from: number, to: number): Uint8Array {
  const last = ends[to - 1] as number;
  /** Distance from an index in `bytes` to the index in `target`. */
  const shift = target.length - last;
  target.set(start === 0 && last === bytes.length ? bytes : bytes.subarray(start, last), start + shift);
  let position = 0;
  let at = start;
  for (let index = from; index < to; index++) {
    const end = ends[index] as number;
    position = writeHeader(target, position, end - at);
    target.copyWithin(position, at + shift, end + shift);
    position += end - at;
    at = end;
  }
  return target;
}

function header(length: number): Uint8Array {
  const bytes = new Uint8Array(headerLength(length));
  writeHeader(bytes, 0, length);
  return bytes;
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 0x1_0000 ? 4 : 10;
}

/** @returns the end of the header */
function writeHeader(target: Uint8Array, start: number, length: number): number {
  let at = start;
  target[at++] = FINAL | Opcode.Binary;
  if (length < 126) target[at++] = length;
  else if (length < 0x1_0000) {
    target[at++] = 126;
    target[at++] = length >> 8;
    target[at++] = length & 0xff;
  } else {
    target[at++] = 127;
    // Lengths fit into four of the eight bytes.
    target.fill(0, at, at + 4);
    at += 4;
    target[at++] = length >>> 24;
    target[at++] = (length >>> 16) & 0xff;
    target[at++] = (length >>> 8) & 0xff;
    target[at++] = length & 0xff;
  }
  return at;
}
