// While bytes of a connection are being handled, large packets made of them may stay in them until they are written,
// instead of being copied.
import type { Outbox } from "@wrenmq/protocol";

export class ZeroCopyBatch {
  #bytes: Uint8Array | undefined;
  #waiting: Outbox[] = [];

  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
  }

  /** May packets for this outbox refer to these bytes until `end`? */
  mayWait(bytes: Uint8Array, outbox: Outbox): boolean {
    if (bytes !== this.#bytes) return false;
    this.#waiting.push(outbox);
    return true;
  }

  /** The bytes are about to be reused. */
  end(): void {
    this.#bytes = undefined;
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const outbox of waiting) outbox.settle();
  }
}
