// Brings a journal that was kept elsewhere into an empty store, frame by frame. Nothing is cleaned meanwhile: what
// cleaning writes would come before frames that are older.
import { StoreError } from "@wrenmq/store";
import type { Ledger } from "../index/ledger.ts";
import { beginFrame } from "../journal/format.ts";
import type { Journal } from "../journal/journal.ts";
import { DamagedError } from "../journal/record-reader.ts";
import type { RecordWriter } from "../journal/record-writer.ts";

export class Replay {
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #writer: RecordWriter;

  constructor(ledger: Ledger, journal: Journal, writer: RecordWriter) {
    this.#ledger = ledger;
    this.#journal = journal;
    this.#writer = writer;
  }

  /**
   * Appends the next frame.
   * @param payload its operations
   * @returns number of the file that has it
   * @throws StoreError ERR_STORE_DAMAGED, ERR_STORE_FULL, ERR_STORE_WRITE
   */
  add(payload: Uint8Array): number {
    beginFrame(this.#writer);
    this.#writer.raw(payload);
    const appended = this.#journal.append(this.#writer, true);
    try {
      this.#ledger.read(appended.file, appended.payload, appended.payloadOffset);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      throw new StoreError("ERR_STORE_DAMAGED", `a frame cannot be read: ${error.message}`, { cause: error });
    }
    return appended.file;
  }

  /**
   * All frames are there.
   * @throws StoreError ERR_STORE_DAMAGED: older ones are missing
   */
  end(): void {
    for (const { clientId, seqs } of this.#ledger.dangling()) {
      const what =
        clientId === undefined
          ? "a session without its record"
          : `${seqs.length} queued messages without their body (client ${JSON.stringify(clientId)})`;
      throw new StoreError("ERR_STORE_DAMAGED", `it refers to ${what}: older frames are missing`);
    }
    const { length } = this.#ledger.danglingOutbox();
    if (length === 0) return;
    throw new StoreError(
      "ERR_STORE_DAMAGED",
      `it refers to ${length} messages in the outbox without their body: older frames are missing`,
    );
  }
}
