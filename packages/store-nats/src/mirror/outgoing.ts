// Frames that wait to be sent, joined to parcels: what is written while a message is under way goes with the next one.
import { BEGINS, ENDS, finishMessage, HEAD_BYTES, LENGTH_BYTES } from "../stream/message.ts";

/** Bytes of the first buffer of a parcel. */
const START_BYTES = 2048;

export interface OutgoingParcel {
  /** With room for the head of a message before them. */
  bytes: Buffer;
  length: number;
  /** Of its last frame: frames are counted from 1 on. */
  position: number;
  /** Numbers of the journal's files of which it has the first frame that is told. */
  readonly files: number[];
}

export class Outgoing {
  /** Bytes of all frames that wait. */
  bytes = 0;
  readonly #longest: number;
  #parcels: OutgoingParcel[] = [];
  #lastFile = 0;

  /** @param longest bytes of a message */
  constructor(longest: number) {
    this.#longest = longest;
  }

  add(payload: Uint8Array, file: number, position: number): void {
    const size = LENGTH_BYTES + payload.length;
    let parcel = this.#parcels.at(-1);
    if (parcel === undefined || parcel.length + size > this.#longest) {
      const bytes = Buffer.allocUnsafe(Math.max(START_BYTES, HEAD_BYTES + size));
      parcel = { bytes, length: HEAD_BYTES, position, files: [] };
      this.#parcels.push(parcel);
    }
    if (parcel.length + size > parcel.bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(this.#longest, 2 * parcel.bytes.length + size));
      grown.set(parcel.bytes.subarray(0, parcel.length));
      parcel.bytes = grown;
    }
    parcel.bytes.writeUInt32LE(payload.length, parcel.length);
    parcel.bytes.set(payload, parcel.length + LENGTH_BYTES);
    parcel.length += size;
    parcel.position = position;
    this.bytes += size;
    if (file === this.#lastFile) return;
    this.#lastFile = file;
    parcel.files.push(file);
  }

  /** The oldest parcel, to which nothing is added any more. */
  take(): OutgoingParcel | undefined {
    const parcel = this.#parcels.shift();
    if (parcel !== undefined) this.bytes -= parcel.length - HEAD_BYTES;
    return parcel;
  }

  clear(): void {
    this.#parcels = [];
    this.bytes = 0;
  }

  /**
   * The messages of a parcel: one, unless it is too long.
   * @param number of the owner's next message
   */
  *messages({ bytes, length }: OutgoingParcel, epoch: number, number: number): IterableIterator<Buffer> {
    if (length <= this.#longest) {
      yield finishMessage(bytes.subarray(0, length), BEGINS | ENDS, epoch, number);
      return;
    }
    const most = this.#longest - HEAD_BYTES;
    for (let at = HEAD_BYTES, next = number; at < length; at += most) {
      const end = Math.min(length, at + most);
      const message = Buffer.allocUnsafe(HEAD_BYTES + end - at);
      message.set(bytes.subarray(at, end), HEAD_BYTES);
      const kind = (at === HEAD_BYTES ? BEGINS : 0) | (end === length ? ENDS : 0);
      yield finishMessage(message, kind, epoch, next++);
    }
  }
}
