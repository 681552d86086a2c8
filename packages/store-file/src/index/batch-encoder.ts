// Encodes a batch of the broker as the operations of one frame. What has no effect is left out: facts of sessions that
// do not exist, bodies that the journal has already, and entries that are added and settled within the batch.
import type { QueueEntry, StoredMessage } from "@wrenmq/protocol";
import type { StoreOp } from "@wrenmq/store";
import { AWAIT_PUBCOMP, HAS_BODY, QOS2, RETAIN, STATE_SHIFT } from "../journal/entry-flags.ts";
import {
  writeAdvanceOp,
  writeClearOp,
  writeDropOriginOp,
  writeDropSessionOp,
  writeEnqueueOp,
  writeHoldOp,
  writeIdentityOp,
  writeOriginOp,
  writeOutboxOp,
  writeReleaseOp,
  writeRetainOp,
  writeSessionOp,
  writeSettleOp,
  writeSettleOutboxOp,
  writeSubscribeOp,
  writeUnretainOp,
  writeUnsubscribeOp,
} from "../journal/ops.ts";
import type { RecordWriter } from "../journal/record-writer.ts";
import { writeMessage } from "../journal/records.ts";
import type { Ledger, SessionFacts } from "./ledger.ts";

/** In the order of their numbers in the journal. */
export const STATES: readonly QueueEntry["state"][] = ["queued", "awaitPuback", "awaitPubrec", "awaitPubcomp"];
const STATE_NUMBER: Readonly<Record<QueueEntry["state"], number>> = {
  queued: 0,
  awaitPuback: 1,
  awaitPubrec: 2,
  awaitPubcomp: AWAIT_PUBCOMP,
};
const NO_HANDLE = 0;

export class BatchEncoder {
  readonly #ledger: Ledger;
  /** Sessions created (with their handle) or deleted (NO_HANDLE) by this batch. */
  readonly #changed = new Map<string, number>();
  /** The session of the last fact: the next one is often about the same. */
  #lastClientId: string | undefined;
  #lastFacts: SessionFacts | undefined;
  /** Messages whose body is in this frame. */
  readonly #written = new Set<number>();
  #lastHandle = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  encode(batch: readonly StoreOp[], to: RecordWriter): void {
    this.#changed.clear();
    this.#written.clear();
    this.#lastClientId = undefined;
    this.#lastHandle = this.#ledger.highestHandle;
    const without = this.#cancelled(batch);
    for (let i = 0; i < batch.length; i++) {
      if (without?.has(i)) continue;
      this.#encodeOne(batch[i]!, to);
    }
  }

  #encodeOne(op: StoreOp, to: RecordWriter): void {
    switch (op.op) {
      case "putRetained": {
        writeRetainOp(to, op.setAt ?? 0);
        const start = to.beginBlock();
        writeMessage(to, op.message);
        to.endBlock(start);
        return;
      }
      case "clearRetained":
        writeClearOp(to, op.topic, op.setAt);
        return;
      case "deleteRetained":
        writeUnretainOp(to, op.topic);
        return;
      case "putSession": {
        const { clientId } = op.record;
        let handle = this.#handle(clientId);
        if (handle === NO_HANDLE) {
          handle = ++this.#lastHandle;
          this.#changed.set(clientId, handle);
        }
        writeSessionOp(to, handle, op.record);
        return;
      }
      case "putOutbox": {
        const { messageId } = op.entry;
        const withBody = !this.#hasBody(messageId);
        writeOutboxOp(to, op.entry, withBody);
        if (withBody) this.#encodeBody(messageId, op.message, to);
        return;
      }
      case "settleOutbox":
        writeSettleOutboxOp(to, op.number);
        return;
      case "putOrigin":
        writeOriginOp(to, op.origin);
        return;
      case "deleteOrigin":
        writeDropOriginOp(to, op.store, op.run);
        return;
      case "putIdentity":
        writeIdentityOp(to, op.identity);
        return;
      default: {
        const handle = this.#handle(op.clientId);
        if (handle !== NO_HANDLE) this.#encodeOfSession(op, handle, to);
      }
    }
  }

  #encodeOfSession(op: Extract<StoreOp, { readonly clientId: string }>, handle: number, to: RecordWriter): void {
    switch (op.op) {
      case "enqueue":
        this.#encodeEnqueue(op, handle, to);
        return;
      case "advance":
        writeAdvanceOp(to, handle, op.seq, op.packetId, STATE_NUMBER[op.state]);
        return;
      case "settle":
        writeSettleOp(to, handle, op.seq);
        return;
      case "hold":
        writeHoldOp(to, handle, op.packetId);
        return;
      case "release":
        writeReleaseOp(to, handle, op.packetId);
        return;
      case "putSubscription":
        writeSubscribeOp(to, handle, op.filter, op.subscription);
        return;
      case "deleteSubscription":
        writeUnsubscribeOp(to, handle, op.filter);
        return;
      case "deleteSession":
        this.#changed.set(op.clientId, NO_HANDLE);
        writeDropSessionOp(to, handle);
        return;
    }
  }

  #encodeEnqueue(op: Extract<StoreOp, { op: "enqueue" }>, handle: number, to: RecordWriter): void {
    const { seq, messageId, qos, retain, state, packetId, subscriptionIdentifiers } = op.entry;
    const stateNumber = STATE_NUMBER[state];
    let flags = (qos === 2 ? QOS2 : 0) | (retain ? RETAIN : 0) | (stateNumber << STATE_SHIFT);
    const withBody = stateNumber !== AWAIT_PUBCOMP && !this.#hasBody(messageId);
    if (withBody) flags |= HAS_BODY;
    writeEnqueueOp(to, handle, seq, messageId, flags, packetId, subscriptionIdentifiers);
    if (withBody) this.#encodeBody(messageId, op.message, to);
  }

  #encodeBody(messageId: number, message: StoredMessage, to: RecordWriter): void {
    this.#written.add(messageId);
    const start = to.beginBlock();
    writeMessage(to, message);
    to.endBlock(start);
  }

  #hasBody(messageId: number): boolean {
    // What the ledger has now it keeps until the end of the frame, whatever is settled before.
    return this.#written.has(messageId) || this.#ledger.messages.find(messageId) >= 0;
  }

  #handle(clientId: string): number {
    if (this.#changed.size > 0) {
      const changed = this.#changed.get(clientId);
      if (changed !== undefined) return changed;
    }
    return this.#facts(clientId)?.handle ?? NO_HANDLE;
  }

  /** The ledger's facts of the session, which do not change until the batch is written. */
  #facts(clientId: string): SessionFacts | undefined {
    if (clientId !== this.#lastClientId) {
      this.#lastClientId = clientId;
      this.#lastFacts = this.#ledger.sessions.get(clientId);
    }
    return this.#lastFacts;
  }

  /**
   * The operations that cancel each other: an entry that is added and settled in the same batch, and did not exist
   * before. Searched only when something is settled that the ledger does not have.
   */
  #cancelled(batch: readonly StoreOp[]): Set<number> | undefined {
    if (!batch.some((op) => op.op === "settle" && !this.#knows(op.clientId, op.seq))) return undefined;
    const brought = new Map<string, Map<number, number>>();
    const cancelled = new Set<number>();
    batch.forEach((op, i) => {
      if (op.op === "enqueue" && !this.#knows(op.clientId, op.entry.seq)) {
        let bySeq = brought.get(op.clientId);
        if (bySeq === undefined) {
          bySeq = new Map();
          brought.set(op.clientId, bySeq);
        }
        // Added twice: the settle ends both, so neither is left out.
        bySeq.set(op.entry.seq, bySeq.has(op.entry.seq) ? -1 : i);
      } else if (op.op === "settle") {
        const at = brought.get(op.clientId)?.get(op.seq);
        if (at === undefined || at < 0) return;
        cancelled.add(at).add(i);
        brought.get(op.clientId)?.delete(op.seq);
      }
    });
    return cancelled;
  }

  #knows(clientId: string, seq: number): boolean {
    const entries = this.#facts(clientId)?.entries;
    return entries !== undefined && entries.find(seq) >= 0;
  }
}
