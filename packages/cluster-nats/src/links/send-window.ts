// What one end of a link has sent and the other has not confirmed: it is kept and sent again until it is confirmed, so
// that a bus that loses messages loses none of the link's.

interface Sent {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

export class SendWindow {
  #sent: Sent[] = [];
  #last = 0;
  /** Bytes that are kept. */
  bytes: number = 0;

  get isEmpty(): boolean {
    return this.#sent.length === 0;
  }

  /** The number of the next message. */
  get next(): number {
    return this.#last + 1;
  }

  /** Keeps the message with the number `next`. */
  add(bytes: Uint8Array): void {
    this.#last++;
    this.bytes += bytes.length;
    this.#sent.push({ sequence: this.#last, bytes });
  }

  /**
   * Everything before `ack` has arrived. Confirmations may come late, and twice.
   * @returns was any of it not confirmed before?
   */
  confirm(ack: number): boolean {
    let count = 0;
    for (const { sequence, bytes } of this.#sent) {
      if (sequence >= ack) break;
      this.bytes -= bytes.length;
      count++;
    }
    if (count > 0) this.#sent = this.#sent.slice(count);
    return count > 0;
  }

  first(): Uint8Array | undefined {
    return this.#sent[0]?.bytes;
  }

  *all(): IterableIterator<Uint8Array> {
    for (const { bytes } of this.#sent) yield bytes;
  }

  clear(): void {
    this.#sent = [];
    this.bytes = 0;
  }
}
