// Messages that still have to reach somebody, and that nobody will send again: kept in the store by the same batch that
// says that they were taken, until everybody has them. It knows numbers and sizes, not who gets a message how.
import type { Message } from "@wrenmq/protocol";
import type { OutboxEntry } from "@wrenmq/store";
import type { FactLog } from "./fact-log.ts";

/** What there is to say about an entry; the store numbers its message. */
export type OutboxDraft = Pick<OutboxEntry, "clientId" | "packetId" | "targets">;

export class MessageOutbox {
  /** Chosen by chance: what an earlier process has numbered cannot be mistaken for what this one does. */
  readonly run: number = newRun();
  readonly #factLog: FactLog;
  #lastNumber = 0;
  readonly #weights = new Map<number, number>();
  /** Bytes of the messages in it. */
  bytes: number = 0;

  constructor(factLog: FactLog) {
    this.#factLog = factLog;
  }

  /** Entries that are not settled, whether the store has them or not. */
  get size(): number {
    return this.#weights.size;
  }

  /** An entry that an earlier process has left. */
  restored({ number }: OutboxEntry, message: Message): void {
    this.#lastNumber = Math.max(this.#lastNumber, number);
    this.#count(number, message);
  }

  /** @param draft undefined: it need not outlive this process @returns the number of the entry */
  put(message: Message, draft: OutboxDraft | undefined): number {
    const number = ++this.#lastNumber;
    message.keep();
    this.#count(number, message);
    if (draft !== undefined) this.#factLog.putOutbox({ number, run: this.run, ...draft }, message);
    return number;
  }

  /** Everybody has the message. @param isStored does the store have the entry? */
  settle(number: number, isStored: boolean = true): void {
    this.bytes -= this.#weights.get(number) ?? 0;
    if (this.#weights.delete(number) && isStored) this.#factLog.record({ op: "settleOutbox", number }, undefined);
  }

  #count(number: number, message: Message): void {
    this.#weights.set(number, message.weight);
    this.bytes += message.weight;
  }
}

/** 48 bits. */
function newRun(): number {
  const [high = 0, low = 0] = globalThis.crypto.getRandomValues(new Uint32Array(2));
  return (high % 0x1_0000) * 0x1_0000_0000 + low;
}
