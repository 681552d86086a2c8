// Facts on their way to the store: collected during a turn of the event loop, applied as one batch before anything is
// sent that depends on them. A message is acknowledged when its batch is durable, never sooner.
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
  type SessionRecord,
} from "@wrenmq/protocol";
import { type OutboxEntry, type Store, StoreError, type StoreOp } from "@wrenmq/store";
import type { Timers } from "../runtime/timers.ts";
import { type Batch, held, joined, letGo, type Settled } from "./batch.ts";
import { firstMessageId } from "./message-numbers.ts";
import { splitSpaceFreeing } from "./store-full-recovery.ts";

const STATE_NAMES: Readonly<Record<OutboundState, DeliveryState>> = {
  [OutboundState.AwaitPuback]: "awaitPuback",
  [OutboundState.AwaitPubrec]: "awaitPubrec",
  [OutboundState.AwaitPubcomp]: "awaitPubcomp",
};
/** Milliseconds between two attempts to apply a batch that the store has refused. */
const RETRY_INTERVAL = 500;
/** The same while the store is full and queues drain. */
const DRAIN_INTERVAL = 20;

/** A batch that was passed to the store. Its outboxes are held. */
interface BatchUnderWay {
  readonly batch: Batch;
  outcome: StoreError | "durable" | undefined;
}

export interface FactLogOptions {
  readonly store: Store;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly now: () => Millis;
  /** Called when there is something to commit at the end of this turn. */
  readonly wake: () => void;
  /** Called when the store works again: what could not be read from it can be now. */
  readonly recovered: () => void;
}

/*
 *   record ─► ops ── commit ─► in progress, first in first out ─► durable: call back, release outboxes
 *                       │                     │ after a refusal later ones are refused too, to keep the order
 *                       └── while failing ────┴► refused ── tried again, as one batch ─► durable: release outboxes
 */
export class FactLog implements FactSink {
  readonly #options: FactLogOptions;
  #ops: StoreOp[] = [];
  #waiters: Settled[] = [];
  #tells: (Outbox | undefined)[] = [];
  #outboxes = new Set<Outbox>();
  /** Records that replace one in the store. */
  readonly #replacing = new WeakSet<StoreOp>();
  #underWay: BatchUnderWay[] = [];
  /** Facts that the store has refused, in order. Their outboxes are held once. */
  #refused: Batch | undefined;
  /** One of the batches in progress was refused: later ones must not be durable before it. */
  #refusal: StoreError | undefined;
  #retrying = false;
  #closed = false;
  #whenIdle: (() => void)[] = [];
  #whenRecovered: (() => void)[] = [];
  #lastMessageId: number;
  /** For each client the first message that the store has refused. */
  readonly #refusedFrom = new Map<string, number>();
  /** Set while the store refuses batches: what would need it must be refused. */
  failing: StoreError | undefined = undefined;
  /** Counts commits: facts with the same number are durable together. */
  turn: number = 0;
  /** Called with the milliseconds that the store has taken for a batch; undefined: nobody measures. */
  committed: ((milliseconds: number) => void) | undefined = undefined;

  constructor(options: FactLogOptions) {
    this.#options = options;
    this.#lastMessageId = firstMessageId(options.now());
  }

  /** The clock may have been set back: no number in use is given again. */
  continueAfter(messageId: number): void {
    this.#lastMessageId = Math.max(this.#lastMessageId, messageId);
  }

  /** Is everything that was recorded durable? */
  get isSettled(): boolean {
    return this.#ops.length === 0 && this.#underWay.length === 0 && this.failing === undefined;
  }

  /** Is there something to commit, or something that waits for it? */
  get isPending(): boolean {
    return this.#ops.length > 0 || this.#waiters.length > 0 || this.#outboxes.size > 0;
  }

  record(op: StoreOp, outbox: Outbox | undefined): void {
    if (this.#closed) return;
    if (!this.isPending) this.#options.wake();
    this.#ops.push(op);
    this.#tells.push(outbox);
    if (outbox !== undefined) this.#outboxes.add(outbox);
  }

  /** @param isKnown the store has a record of the session, or will have it */
  putSession(record: SessionRecord, isKnown: boolean, outbox: Outbox | undefined): void {
    const op: StoreOp = { op: "putSession", record };
    if (isKnown) this.#replacing.add(op);
    this.record(op, outbox);
  }

  /** The packets of this turn in this outbox depend on facts recorded so far: they wait for them. */
  holdBack(outbox: Outbox): void {
    if (this.isSettled) return;
    if (!this.isPending) this.#options.wake();
    this.#outboxes.add(outbox);
  }

  /** Calls back when everything recorded so far is durable. */
  whenDurable(settled: Settled): void {
    if (!this.isPending) this.#options.wake();
    this.#waiters.push(settled);
  }

  /** Calls back when the store works again, and has the facts that it had refused. */
  whenRecovered(callback: () => void): void {
    this.#whenRecovered.push(callback);
  }

  /** While the store refuses messages only those that it has may be sent: nothing could be sent after the others. */
  mayStart(session: Session, seq: number): boolean {
    return this.failing === undefined || seq < (this.#refusedFrom.get(session.clientId) ?? Number.POSITIVE_INFINITY);
  }

  enqueued(session: Session, delivery: Delivery, packetId: number): void {
    const { message, qos, retain, subscriptionIdentifiers, seq } = delivery;
    if (this.failing !== undefined && !this.#refusedFrom.has(session.clientId)) {
      this.#refusedFrom.set(session.clientId, seq);
    }
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

  held(session: Session, packetId: number, isTold: boolean): void {
    const outbox = isTold ? session.link?.outbox : undefined;
    this.record({ op: "hold", clientId: session.clientId, packetId }, outbox);
  }

  released(session: Session, packetId: number): void {
    this.record({ op: "release", clientId: session.clientId, packetId }, session.link?.outbox);
  }

  putOutbox(entry: Omit<OutboxEntry, "messageId">, message: Message): void {
    this.record({ op: "putOutbox", entry: { ...entry, messageId: this.#messageId(message) }, message }, undefined);
  }

  /** Passes the facts of this turn to the store. Nothing that depends on them may be sent before. */
  commit(): void {
    if (!this.isPending) return;
    this.turn++;
    const batch: Batch = { ops: this.#ops, tells: this.#tells, waiters: this.#waiters, outboxes: this.#outboxes };
    this.#ops = [];
    this.#tells = [];
    this.#waiters = [];
    this.#outboxes = new Set();
    const refusal = this.failing ?? this.#refusal;
    if (refusal === undefined) this.#apply(batch);
    // Those in progress may still be refused, and come before it.
    else if (this.#underWay.length > 0) this.#underWay.push({ batch: held(batch), outcome: refusal });
    else this.#postpone(held(batch), refusal);
  }

  /** Resolves when nothing is in progress. Facts that the store still refuses are lost; the log has their number. */
  async drain(): Promise<void> {
    this.commit();
    await this.idle();
    if (this.#refused !== undefined) {
      this.#retry();
      await this.idle();
    }
    this.#closed = true;
    if (this.#refused !== undefined) {
      const facts = this.#refused.ops.length;
      this.#options.logger.error({ facts }, "the store took no more facts before the end");
    }
  }

  /** Another broker has the store: nothing is recorded any more, and nothing is tried again. */
  abandon(): void {
    this.#closed = true;
    this.#ops = [];
    this.#tells = [];
    this.#refused = undefined;
  }

  /** Resolves when nothing is in progress. */
  async idle(): Promise<void> {
    while (this.#underWay.length > 0 || this.#retrying) {
      await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    }
  }

  #apply(batch: Batch): void {
    let pending: Promise<void> | undefined;
    const { committed } = this;
    const since = committed === undefined ? 0 : performance.now();
    let outcome: BatchUnderWay["outcome"] = "durable";
    try {
      pending = batch.ops.length === 0 ? undefined : this.#options.store.apply(batch.ops);
    } catch (error) {
      outcome = asStoreError(error);
      this.#refusal = outcome;
    }
    if (pending === undefined && outcome === "durable") committed?.(performance.now() - since);
    if (pending === undefined && outcome === "durable" && this.#underWay.length === 0) {
      settleAll(batch, undefined);
      return;
    }
    const underWay: BatchUnderWay = { batch: held(batch), outcome: pending === undefined ? outcome : undefined };
    this.#underWay.push(underWay);
    if (pending === undefined) {
      this.#advance();
      return;
    }
    pending.then(
      () => {
        committed?.(performance.now() - since);
        this.#settled(underWay, "durable");
      },
      (error: unknown) => this.#settled(underWay, asStoreError(error)),
    );
  }

  #settled(underWay: BatchUnderWay, outcome: StoreError | "durable"): void {
    underWay.outcome = outcome;
    if (outcome !== "durable") this.#refusal = outcome;
    this.#advance();
    this.#options.wake();
  }

  /** Completes batches in the order in which they were begun. */
  #advance(): void {
    for (let first = this.#underWay[0]; first?.outcome !== undefined; first = this.#underWay[0]) {
      this.#underWay.shift();
      const { batch, outcome } = first;
      if (outcome !== "durable") this.#postpone(batch, outcome);
      // It was applied without an earlier one: applied again in order, the result is right.
      else if (this.failing !== undefined) this.#postpone(batch, this.failing);
      else {
        letGo(batch.outboxes);
        settleAll(batch, undefined);
      }
    }
    this.#tellIdle();
  }

  /** Memory is ahead of the store: the facts stay in order and are tried again; publishers are refused meanwhile. */
  #postpone(batch: Batch, error: StoreError): void {
    if (this.failing === undefined) {
      this.#options.logger.error({ err: error }, "the store refuses to write; publishes are refused");
      this.failing = error;
      this.#retryLater();
    }
    for (const op of batch.ops) {
      if (op.op === "enqueue" && !this.#refusedFrom.has(op.clientId)) this.#refusedFrom.set(op.clientId, op.entry.seq);
    }
    this.#refused = this.#refused === undefined ? batch : joined(this.#refused, batch);
    settleAll(batch, error);
  }

  #retryLater(interval = RETRY_INTERVAL): void {
    const { timers, now } = this.#options;
    timers.at(now() + interval, () => this.#retry());
  }

  #retry(): void {
    if (this.#retrying || this.#closed) return;
    const batch = this.#refused;
    // Batches in progress come before it or are about to join it.
    if (batch === undefined || this.#underWay.length > 0) {
      if (this.failing !== undefined) this.#retryLater();
      return;
    }
    // Later facts are collected separately: the store is applying these.
    this.#refused = undefined;
    this.#retrying = true;
    const refusedAgain = (reason: unknown): void => {
      const error = asStoreError(reason);
      if (error.code === "ERR_STORE_FULL") this.#relieve(batch, error);
      else this.#refusedAgain(batch, error, RETRY_INTERVAL);
    };
    try {
      const pending = this.#options.store.apply(batch.ops);
      if (pending === undefined) this.#recover(batch);
      else pending.then(() => this.#recover(batch), refusedAgain);
    } catch (error) {
      refusedAgain(error);
    }
  }

  /** The store has no space for the batch: operations that free space go first. */
  #relieve(batch: Batch, error: StoreError): void {
    const { relief, rest } = splitSpaceFreeing(batch.ops, this.#replacing);
    const refused = (): void => this.#refusedAgain(batch, error, RETRY_INTERVAL);
    const relieved = (): void => {
      const kept = new Set(rest);
      const tells = batch.tells.filter((_, i) => kept.has(batch.ops[i] as StoreOp));
      const outboxes = new Set(tells.filter((outbox) => outbox !== undefined));
      const free = [...batch.outboxes].filter((outbox) => !outboxes.has(outbox));
      this.#refusedAgain({ ...batch, ops: rest, tells, outboxes }, error, DRAIN_INTERVAL);
      letGo(free);
      this.#options.recovered();
    };
    if (relief.length === 0) {
      refused();
      return;
    }
    try {
      const pending = this.#options.store.apply(relief);
      if (pending === undefined) relieved();
      else pending.then(relieved, refused);
    } catch {
      refused();
    }
  }

  #refusedAgain(batch: Batch, error: StoreError, retryAfter: Millis): void {
    this.#retrying = false;
    this.failing = error;
    this.#refused = this.#refused === undefined ? batch : joined(batch, this.#refused);
    this.#retryLater(retryAfter);
    this.#tellIdle();
  }

  #recover(batch: Batch): void {
    this.#retrying = false;
    this.failing = undefined;
    this.#refusal = undefined;
    this.#refusedFrom.clear();
    const { logger, recovered, wake } = this.#options;
    logger.info({ facts: batch.ops.length }, "the store writes again");
    const meanwhile = this.#refused;
    this.#refused = undefined;
    if (meanwhile !== undefined) {
      this.#apply({ ...meanwhile, waiters: [] });
      letGo(meanwhile.outboxes);
    }
    letGo(batch.outboxes);
    const waiting = this.#whenRecovered;
    this.#whenRecovered = [];
    for (const tell of waiting) tell();
    recovered();
    wake();
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#underWay.length > 0 || this.#retrying) return;
    for (const tell of this.#whenIdle.splice(0)) tell();
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
