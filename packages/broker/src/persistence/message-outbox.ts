// Messages that have not reached all their receivers and that nobody sends again. They are stored by the batch that
// takes them, until all receivers have them. It has numbers and sizes; it does not deliver.
import type { Message } from "@wrenmq/protocol";
import type { OutboxEntry } from "@wrenmq/store";
import type { FactLog } from "./fact-log.ts";

/** The contents of an entry; the store numbers its message. */
export type OutboxDraft = Pick<OutboxEntry, "clientId" | "packetId" | "targets">;

export class MessageOutbox {
  /** Random, so that numbers of an earlier process cannot be mistaken for those of this one. */
  readonly run: number = newRun();
  readonly #factLog: FactLog;
  #lastNumber = 0;
  readonly #weights = new Map<number, number>();
  /** Bytes of the messages in it. */
  bytes: number = 0;

  constructor(factLog: FactLog) {
    this.#factLog = factLog;
  }

  /** Number of entries that are not settled, stored or not. */
  get size(): number {
    return this.#weights.size;
  }

  /** An entry of an earlier process. */
  restored({ number }: OutboxEntry, message: Message): void {
    this.#lastNumber = Math.max(this.#lastNumber, number);
    this.#count(number, message);
  }

  /**
   * @param draft undefined: it need not outlive this process
   * @returns the number of the entry
   */
  put(message: Message, draft: OutboxDraft | undefined): number {
    const number = ++this.#lastNumber;
    message.keep();
    this.#count(number, message);
    if (draft !== undefined) this.#factLog.putOutbox({ number, run: this.run, ...draft }, message);
    return number;
  }

  /**
   * All receivers have the message.
   * @param isStored does the store have the entry?
   */
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
