// Facts on their way to the store: collected during a turn of the event loop, applied as one batch before anything that
// tells of them leaves. What was published is acknowledged when its batch is durable, never sooner.
import type { Logger } from "@wrenmq/plugin-api";
import {
  type Delivery,
  type DeliveryState,
  type FactSink,
  type Message,
  type Millis,
  OutboundState,
  type Outbox,
  type Session,
} from "@wrenmq/protocol";
import { type Store, StoreError, type StoreOp } from "@wrenmq/store";
import type { Timers } from "./timers.ts";

const STATE_NAMES: Readonly<Record<OutboundState, DeliveryState>> = {
  [OutboundState.AwaitPuback]: "awaitPuback",
  [OutboundState.AwaitPubrec]: "awaitPubrec",
  [OutboundState.AwaitPubcomp]: "awaitPubcomp",
};
/** Milliseconds between two tries of a batch that the store refused. */
const RETRY_INTERVAL = 500;

/** Told when what it waits for is durable (undefined), or why it will not be for now. */
export type Settled = (error: StoreError | undefined) => void;

interface Batch {
  readonly ops: StoreOp[];
  readonly waiters: Settled[];
  readonly outboxes: Set<Outbox>;
}

export class Journal implements FactSink {
  readonly #store: Store;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #wake: () => void;
  readonly #now: () => Millis;
  #ops: StoreOp[] = [];
  #waiters: Settled[] = [];
  #outboxes = new Set<Outbox>();
  #refused: Batch | undefined;
  #underWay = 0;
  #lastMessageId: number;
  /** The store refuses batches: what would need it is not to be accepted. */
  failing: StoreError | undefined = undefined;

  /** @param wake called when there is something to commit at the end of this turn */
  constructor(store: Store, timers: Timers, logger: Logger, now: () => Millis, wake: () => void) {
    this.#store = store;
    this.#timers = timers;
    this.#logger = logger;
    this.#wake = wake;
    this.#now = now;
    // Numbers of messages grow across restarts: time gives the start, 4,096 a millisecond.
    this.#lastMessageId = now() * 4096;
  }

  /** Facts that are not durable yet in this turn. */
  get length(): number {
    return this.#ops.length;
  }

  record(op: StoreOp, outbox: Outbox | undefined): void {
    if (this.#ops.length === 0) this.#wake();
    this.#ops.push(op);
    if (outbox !== undefined) this.#outboxes.add(outbox);
  }

  /** Calls back when everything recorded so far is durable. */
  whenDurable(settled: Settled): void {
    this.#waiters.push(settled);
  }

  enqueued(session: Session, delivery: Delivery, packetId: number): void {
    const { message, qos, retain, subscriptionIdentifiers, seq } = delivery;
    const state = packetId === 0 ? "queued" : qos === 1 ? "awaitPuback" : "awaitPubrec";
    this.record(
      {
        op: "enqueue",
        clientId: session.clientId,
        entry: { seq, messageId: this.#messageId(message), qos, retain, subscriptionIdentifiers, state, packetId },
        message,
      },
      session.link?.outbox,
    );
  }

  advanced(session: Session, delivery: Delivery, packetId: number, state: OutboundState): void {
    const { clientId } = session;
    this.record(
      { op: "advance", clientId, seq: delivery.seq, packetId, state: STATE_NAMES[state] },
      session.link?.outbox,
    );
  }

  settled(session: Session, delivery: Delivery): void {
    this.record({ op: "settle", clientId: session.clientId, seq: delivery.seq }, undefined);
  }

  held(session: Session, packetId: number): void {
    this.record({ op: "hold", clientId: session.clientId, packetId }, session.link?.outbox);
  }

  released(session: Session, packetId: number): void {
    this.record({ op: "release", clientId: session.clientId, packetId }, session.link?.outbox);
  }

  /** Hands the facts of this turn to the store. Nothing that tells of them may leave before. */
  commit(): void {
    if (this.#ops.length === 0 && this.#waiters.length === 0) return;
    const batch: Batch = { ops: this.#ops, waiters: this.#waiters, outboxes: this.#outboxes };
    this.#ops = [];
    this.#waiters = [];
    this.#outboxes = new Set();
    if (this.#refused === undefined) this.#apply(batch);
    else this.#postpone(batch, this.failing as StoreError);
  }

  /** Resolves when nothing is under way. Facts that the store refuses to the end are lost; the log says how many. */
  async drain(): Promise<void> {
    this.commit();
    if (this.#refused !== undefined) this.#retry();
    while (this.#underWay > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#refused !== undefined) {
      this.#logger.error({ facts: this.#refused.ops.length }, "the store took no more facts before the end");
    }
  }

  #apply(batch: Batch): void {
    let pending: Promise<void> | undefined;
    try {
      pending = batch.ops.length === 0 && this.#underWay === 0 ? undefined : this.#store.apply(batch.ops);
    } catch (error) {
      this.#postpone(batch, asStoreError(error));
      return;
    }
    if (pending === undefined) {
      settleAll(batch, undefined);
      return;
    }
    this.#underWay++;
    for (const outbox of batch.outboxes) outbox.hold();
    pending.then(
      () => {
        this.#underWay--;
        for (const outbox of batch.outboxes) outbox.release();
        settleAll(batch, undefined);
        this.#wake();
      },
      (error: unknown) => {
        this.#underWay--;
        this.#postpone(batch, asStoreError(error), true);
        this.#wake();
      },
    );
  }

  /** RAM is ahead of the store: the facts stay in order and are tried again; publishers are told no for now. */
  #postpone(batch: Batch, error: StoreError, isHeld = false): void {
    if (this.failing === undefined) {
      this.#logger.error(
        { code: error.code, error: error.message },
        "the store refuses to write; publishes are refused",
      );
    }
    this.failing = error;
    if (!isHeld) for (const outbox of batch.outboxes) outbox.hold();
    settleAll(batch, error);
    if (this.#refused === undefined) {
      this.#refused = { ops: batch.ops, waiters: [], outboxes: batch.outboxes };
      this.#timers.at(this.#now() + RETRY_INTERVAL, () => this.#retry());
      return;
    }
    const refused = this.#refused;
    for (const op of batch.ops) refused.ops.push(op);
    for (const outbox of batch.outboxes) {
      if (refused.outboxes.has(outbox)) outbox.release();
      else refused.outboxes.add(outbox);
    }
  }

  #retry(): void {
    const batch = this.#refused;
    if (batch === undefined) return;
    const succeed = (): void => {
      this.#refused = undefined;
      this.failing = undefined;
      this.#logger.info({ facts: batch.ops.length }, "the store writes again");
      for (const outbox of batch.outboxes) outbox.release();
      this.#wake();
    };
    const again = (): void => {
      this.#timers.at(this.#now() + RETRY_INTERVAL, () => this.#retry());
    };
    try {
      const pending = this.#store.apply(batch.ops);
      if (pending === undefined) succeed();
      else pending.then(succeed, again);
    } catch {
      again();
    }
  }

  #messageId(message: Message): number {
    if (message.storeId === 0) message.storeId = ++this.#lastMessageId;
    return message.storeId;
  }
}

function settleAll(batch: Batch, error: StoreError | undefined): void {
  for (const settled of batch.waiters) settled(error);
}

function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new StoreError("ERR_STORE_WRITE", message, { cause: error });
}
