// A store in memory with a slow disk: a batch can be read back at once and is durable some time later. When the power
// fails, what is not durable is lost. It shows what SIGKILL cannot, because the system keeps what a killed process has
// written.
import type { SessionSnapshot, StoredMessage } from "@wrenmq/protocol";
import {
  MemoryStore,
  type OriginRecord,
  type OutboxMessage,
  type QueuedMessage,
  type RetainedStamp,
  type Store,
  StoreError,
  type StoreOp,
  type StoreStats,
} from "@wrenmq/store";
import type { Random } from "../random.ts";
import { type Cancel, realSurroundings, type Surroundings } from "../surroundings.ts";
import { opsOf } from "./ops-of.ts";

interface Write {
  readonly batch: readonly StoreOp[];
  readonly durable: () => void;
  readonly lost: (error: StoreError) => void;
}

export interface Faults {
  /** Share of the batches that are refused. */
  readonly refused: number;
  /** Milliseconds that a batch takes to become durable, at most. */
  readonly latency: number;
}

export class PowerLossStore implements Store {
  readonly #random: Random;
  readonly #faults: Faults;
  /** The contents for readers, and what a power failure leaves. */
  readonly #seen = new MemoryStore();
  readonly #disk: MemoryStore;
  #writing: Write[] = [];
  readonly #setTimer: Surroundings["setTimer"];
  #timer: Cancel | undefined;
  #powered = true;
  refusals: number = 0;

  /** @param disk what an earlier store has left */
  constructor(
    random: Random,
    faults: Faults,
    disk: MemoryStore = new MemoryStore(),
    setTimer: Surroundings["setTimer"] = realSurroundings.setTimer,
  ) {
    this.#setTimer = setTimer;
    this.#random = random;
    this.#faults = faults;
    this.#disk = disk;
    disk.open();
    this.#seen.open();
    this.#seen.apply([...opsOf(disk)]);
  }

  /**
   * Ends it, with everything in progress.
   * @returns what is on disk
   */
  loseThePower(): MemoryStore {
    this.#powered = false;
    this.#timer?.();
    const lost = this.#writing;
    this.#writing = [];
    for (const write of lost) write.lost(new StoreError("ERR_STORE_CLOSED", "the power is off"));
    return this.#disk;
  }

  /**
   * Its process ends: the system keeps what it has written.
   * @returns what the next process finds
   */
  endTheProcess(): MemoryStore {
    this.#powered = false;
    this.#timer?.();
    for (const { batch } of this.#writing.splice(0)) this.#disk.apply(batch);
    return this.#disk;
  }

  open(): void {}

  /** Waits for what is in progress, if there is power. */
  async close(): Promise<void> {
    while (this.#powered && this.#writing.length > 0)
      await new Promise<void>((resolve) => void this.#setTimer(resolve, 5));
  }

  apply(batch: readonly StoreOp[]): Promise<void> {
    if (!this.#powered) throw new StoreError("ERR_STORE_CLOSED", "the power is off");
    const random = this.#random;
    if (random.chance(this.#faults.refused)) {
      this.refusals++;
      const error = new StoreError("ERR_STORE_FULL", "told to refuse");
      if (random.chance(0.5)) throw error;
      return Promise.reject(error);
    }
    // The broker goes on using its messages: the present contents are written.
    const copy = structuredCopy(batch);
    this.#seen.apply(copy);
    return new Promise((resolve, reject) => {
      this.#writing.push({ batch: copy, durable: resolve, lost: reject });
      this.#timer ??= this.#later();
    });
  }

  sessions(): Iterable<SessionSnapshot> {
    return this.#seen.sessions();
  }

  retained(): Iterable<StoredMessage> {
    return this.#seen.retained();
  }

  retainedStamps(): Iterable<RetainedStamp> {
    return this.#seen.retainedStamps();
  }

  queue(clientId: string, after: number, limit: number): readonly QueuedMessage[] {
    return this.#seen.queue(clientId, after, limit);
  }

  message(clientId: string, seq: number): StoredMessage | undefined {
    return this.#seen.message(clientId, seq);
  }

  outbox(): Iterable<OutboxMessage> {
    return this.#seen.outbox();
  }

  origins(): Iterable<OriginRecord> {
    return this.#seen.origins();
  }

  identity(): string | undefined {
    return this.#seen.identity();
  }

  stats(): StoreStats {
    return this.#seen.stats();
  }

  /** Writes some of what waits to the disk, in order. */
  #later(): Cancel {
    return this.#setTimer(
      () => {
        const done = this.#writing.splice(0, this.#random.between(1, this.#writing.length));
        for (const { batch } of done) this.#disk.apply(batch);
        this.#timer = this.#writing.length > 0 ? this.#later() : undefined;
        for (const { durable } of done) durable();
      },
      this.#random.between(0, this.#faults.latency),
    );
  }
}

function structuredCopy(batch: readonly StoreOp[]): StoreOp[] {
  return batch.map((op) => ("message" in op ? { ...op, message: ownMessage(op.message) } : op));
}

function ownMessage(message: StoredMessage): StoredMessage {
  const { topic, payload, qos, retain, properties, expiresAt, publisher } = message;
  return { topic, payload: payload.slice(), qos, retain, properties, expiresAt, publisher };
}
