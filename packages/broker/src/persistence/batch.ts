// The facts of one turn of the event loop for the store, with everything that waits for them.
import type { Outbox } from "@wrenmq/protocol";
import type { StoreError, StoreOp } from "@wrenmq/store";

/** Called with undefined when the facts are durable, with an error when the store has refused them for now. */
export type Settled = (error: StoreError | undefined) => void;

export interface Batch {
  readonly ops: StoreOp[];
  readonly waiters: Settled[];
  /** For each fact the outbox whose packets depend on it. */
  readonly tells: (Outbox | undefined)[];
  readonly outboxes: Set<Outbox>;
}

export function held(batch: Batch): Batch {
  for (const outbox of batch.outboxes) outbox.hold();
  return batch;
}

export function letGo(outboxes: Iterable<Outbox>): void {
  for (const outbox of outboxes) outbox.release();
}

/** Joins two batches in order; an outbox that both hold back is then held once. */
export function joined(first: Batch, second: Batch): Batch {
  for (const op of second.ops) first.ops.push(op);
  for (const outbox of second.tells) first.tells.push(outbox);
  for (const outbox of second.outboxes) {
    if (first.outboxes.has(outbox)) outbox.release();
    else first.outboxes.add(outbox);
  }
  return first;
}
