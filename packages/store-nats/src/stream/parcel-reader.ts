// Puts parcels together from the messages of a stream, and checks that none is missing. What an owner had begun to send
// when another took over ends with the other's first message, and does not count.
import { StoreError } from "@wrenmq/store";
import { BEGINS, ENDS, EPOCH, readMessage } from "./message.ts";

export interface Parcel {
  /** Number of its first message in the stream. */
  readonly sequence: number;
  /** Valid until the next message is read. */
  readonly bytes: Buffer;
}

export class ParcelReader {
  #parts: Buffer[] = [];
  #begun = 0;
  /** Of the last message; undefined: none was read. */
  #epoch: number | undefined;
  #number = 0;

  /**
   * @returns the parcel that ends with this message
   * @throws StoreError ERR_STORE_FORMAT, ERR_STORE_DAMAGED
   */
  take(sequence: number, bytes: Uint8Array): Parcel | undefined {
    const { kind, epoch, number, body } = readMessage(bytes);
    if (kind === EPOCH) {
      this.#parts = [];
      this.#epoch = sequence;
      this.#number = 0;
      return undefined;
    }
    this.#checkOrder(epoch, number);
    if ((kind & BEGINS) !== 0) {
      this.#parts = [];
      this.#begun = sequence;
      if ((kind & ENDS) !== 0) return { sequence, bytes: body };
    } else if (this.#parts.length === 0) throw new StoreError("ERR_STORE_DAMAGED", "its beginning is missing");
    // The memory belongs to who has read it.
    this.#parts.push(Buffer.from(body));
    if ((kind & ENDS) === 0) return undefined;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    return { sequence: this.#begun, bytes: whole };
  }

  /** The oldest messages may be gone, with the first one of their owner. */
  #checkOrder(epoch: number, number: number): void {
    if (this.#epoch !== undefined && (epoch !== this.#epoch || number !== this.#number + 1)) {
      const expected = `${this.#number + 1} of epoch ${this.#epoch}`;
      throw new StoreError("ERR_STORE_DAMAGED", `it is message ${number} of epoch ${epoch} in place of ${expected}`);
    }
    this.#epoch = epoch;
    this.#number = number;
  }
}
