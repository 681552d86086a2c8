// A store in RAM with a disk that is late: a batch can be read back at once and is durable some time later. When the power
// fails, what is not durable is gone. It shows what SIGKILL cannot: the system keeps what a killed process has written.
import type { SessionSnapshot, StoredMessage } from "@wrenmq/protocol";
import { MemoryStore, type QueuedMessage, type Store, StoreError, type StoreOp, type StoreStats } from "@wrenmq/store";
import type { Random } from "../random.ts";
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
  /** What a reader sees, and what the power leaves. */
  readonly #seen = new MemoryStore();
  readonly #disk: MemoryStore;
  #writing: Write[] = [];
  #timer: NodeJS.Timeout | undefined;
  #powered = true;
  refusals: number = 0;

  /** @param disk what an earlier store has left */
  constructor(random: Random, faults: Faults, disk: MemoryStore = new MemoryStore()) {
    this.#random = random;
    this.#faults = faults;
    this.#disk = disk;
    disk.open();
    this.#seen.open();
    this.#seen.apply([...opsOf(disk)]);
  }

  /** Ends it, with what is under way. @returns what is on disk */
  loseThePower(): MemoryStore {
    this.#powered = false;
    clearTimeout(this.#timer);
    const lost = this.#writing;
    this.#writing = [];
    for (const write of lost) write.lost(new StoreError("ERR_STORE_CLOSED", "the power is off"));
    return this.#disk;
  }

  open(): void {}

  /** Waits for what is under way, if there is power. */
  async close(): Promise<void> {
    while (this.#powered && this.#writing.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
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
    // The broker goes on using its messages: what is written now is what they are now.
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

  queue(clientId: string, after: number, limit: number): readonly QueuedMessage[] {
    return this.#seen.queue(clientId, after, limit);
  }

  message(clientId: string, seq: number): StoredMessage | undefined {
    return this.#seen.message(clientId, seq);
  }

  stats(): StoreStats {
    return this.#seen.stats();
  }

  /** Some of what waits gets to the disk, in order. */
  #later(): NodeJS.Timeout {
    return setTimeout(
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
