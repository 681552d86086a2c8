// The durable store that outlives its machine: a file store, whose every frame goes to a stream too. What is written is
// durable when the stream has it; what is read comes from the files.
import type { SessionSnapshot, StoredMessage } from "@wrenmq/protocol";
import {
  type OriginRecord,
  type OutboxMessage,
  type QueuedMessage,
  type RetainedStamp,
  type Store,
  StoreError,
  type StoreOp,
  type StoreStats,
} from "@wrenmq/store";
import { FileStore } from "@wrenmq/store-file";
import { type Clock, systemClock } from "./clock.ts";
import { Mirror } from "./mirror/mirror.ts";
import { Purger } from "./mirror/purger.ts";
import { natsStream } from "./nats/nats-stream.ts";
import {
  DEFAULT_CLOSE_TIMEOUT,
  DEFAULT_PENDING_BYTES,
  DEFAULT_SEGMENT_BYTES,
  LONGEST_MESSAGE,
  type ReplicatedStoreOptions,
} from "./options.ts";
import { Fence, Stopped } from "./stream/fence.ts";
import type { JournalStream } from "./stream/journal-stream.ts";
import { Trouble } from "./stream/trouble.ts";
import { readBack, seize } from "./takeover.ts";

/** What is written and not acknowledged. */
export interface ReplicationState {
  /** Number of the last message of this owner that the stream has acknowledged. */
  readonly sequence: number;
  readonly pendingFrames: number;
  readonly pendingBytes: number;
}

/** The parts that exist from `open` to `close`. */
interface Session {
  readonly stream: JournalStream;
  readonly fence: Fence;
  /** Undefined while it is being opened. */
  mirror: Mirror | undefined;
  readonly opening: Promise<void>;
}

export class ReplicatedStore implements Store {
  readonly #options: ReplicatedStoreOptions;
  readonly #clock: Clock;
  readonly #file: FileStore;
  #session: Session | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ReplicatedStoreOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { directory, maxBytes, segmentBytes = DEFAULT_SEGMENT_BYTES, onNotice } = options;
    this.#file = new FileStore({
      path: directory,
      durability: "batch",
      beginsEmpty: true,
      segmentBytes,
      mirror: {
        onFrame: (payload, file) => this.#session?.mirror?.onFrame(payload, file),
        onDropped: (file) => this.#session?.mirror?.onDropped(file),
      },
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(onNotice === undefined ? {} : { onNotice }),
    });
  }

  /**
   * Takes over the stream, which is made if there is none, and reads it. From then on whoever had it before is refused.
   * While NATS cannot be reached it tries again, until the store is closed.
   * @throws StoreError ERR_STORE_LOCKED, ERR_STORE_OPEN, ERR_STORE_FORMAT, ERR_STORE_DAMAGED, ERR_STORE_FULL,
   *   ERR_STORE_WRITE, ERR_STORE_CLOSED
   */
  async open(): Promise<void> {
    await this.#closing;
    this.#session ??= this.#begin();
    return this.#session.opening;
  }

  /**
   * Waits until the stream has acknowledged what was written, but not longer than `closeTimeout`: what it has not
   * acknowledged by then is rejected with ERR_STORE_CLOSED.
   */
  close(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return this.#closing ?? Promise.resolve();
    this.#closing ??= this.#end(session).finally(() => {
      this.#closing = undefined;
    });
    return this.#closing;
  }

  sessions(): IterableIterator<SessionSnapshot> {
    return this.#readable().sessions();
  }

  retained(): IterableIterator<StoredMessage> {
    return this.#readable().retained();
  }

  retainedStamps(): IterableIterator<RetainedStamp> {
    return this.#readable().retainedStamps();
  }

  queue(clientId: string, after: number, limit: number): readonly QueuedMessage[] {
    return this.#readable().queue(clientId, after, limit);
  }

  message(clientId: string, seq: number): StoredMessage | undefined {
    return this.#readable().message(clientId, seq);
  }

  outbox(): IterableIterator<OutboxMessage> {
    return this.#readable().outbox();
  }

  origins(): IterableIterator<OriginRecord> {
    return this.#readable().origins();
  }

  identity(): string | undefined {
    return this.#readable().identity();
  }

  stats(): StoreStats {
    return this.#readable().stats();
  }

  /**
   * @returns undefined: nothing was written, and the stream has everything that was written before; otherwise a promise
   *   that resolves when the stream has it
   * @throws StoreError ERR_STORE_FULL, ERR_STORE_WRITE, ERR_STORE_CLOSED; by rejection ERR_STORE_DEPOSED, ERR_STORE_CLOSED
   */
  apply(batch: readonly StoreOp[]): undefined | Promise<void> {
    const mirror = this.#mirror();
    if (mirror.ended === undefined) {
      const most = this.#options.maxPendingBytes ?? DEFAULT_PENDING_BYTES;
      if (mirror.bytes >= most) {
        const { stream } = this.#options;
        throw new StoreError("ERR_STORE_FULL", `stream ${stream} takes nothing, and ${mirror.bytes} bytes wait for it`);
      }
      void this.#file.apply(batch);
    }
    return mirror.settled();
  }

  /** How far the stream is behind. */
  replication(): ReplicationState {
    const mirror = this.#mirror();
    return {
      sequence: this.#session?.fence.last ?? 0,
      pendingFrames: mirror.frames,
      pendingBytes: mirror.bytes,
    };
  }

  #mirror(): Mirror {
    const mirror = this.#session?.mirror;
    if (mirror === undefined || this.#closing !== undefined) throw this.#closed();
    return mirror;
  }

  #readable(): FileStore {
    if (this.#session?.mirror === undefined) throw this.#closed();
    return this.#file;
  }

  #closed(): StoreError {
    return new StoreError("ERR_STORE_CLOSED", `the store ${this.#options.directory} is not open`);
  }

  #begin(): Session {
    const { connection, stream: name, replicas, onNotice } = this.#options;
    const stream = "append" in connection ? connection : natsStream(connection, name, replicas);
    const trouble = new Trouble({
      began: (reason) => onNotice?.({ notice: "waiting", stream: name, reason }),
      ended: () => onNotice?.({ notice: "goesOn", stream: name }),
    });
    const fence = new Fence(stream, this.#clock, trouble);
    const session: Session = { stream, fence, mirror: undefined, opening: Promise.resolve() };
    const opening = this.#open(session);
    return Object.assign(session, { opening });
  }

  async #open(session: Session): Promise<void> {
    const { stream, fence } = session;
    try {
      // First of all: it tells whether another process uses the directory.
      this.#file.open();
      const parts = { stream, fence, owner: this.#options.owner };
      await seize(parts);
      const purger = await readBack(parts, this.#file, () => new Purger(stream, this.#notPurged()));
      const longest = Math.min(LONGEST_MESSAGE, stream.longest);
      const { onDeposed } = this.#options;
      session.mirror = new Mirror({ fence, purger, name: stream.name, longest, deposed: () => onDeposed() });
    } catch (error) {
      fence.stop();
      stream.close();
      await this.#file.close();
      this.#session = undefined;
      throw error instanceof Stopped ? this.#closed() : error;
    }
  }

  /** One notice for all failures. */
  #notPurged(): (error: unknown) => void {
    let isTold = false;
    return (error) => {
      if (isTold) return;
      isTold = true;
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.onNotice?.({ notice: "notPurged", stream: this.#options.stream, reason });
    };
  }

  async #end(session: Session): Promise<void> {
    const { stream, fence, mirror } = session;
    if (mirror === undefined) {
      fence.stop();
      stream.close();
      await session.opening.catch(() => {});
      return;
    }
    const cancel = this.#clock.at(this.#clock.now() + (this.#options.closeTimeout ?? DEFAULT_CLOSE_TIMEOUT), () =>
      mirror.end(this.#closed()),
    );
    // Those who wait for it learn of a failure themselves.
    await mirror.settled()?.catch(() => {});
    cancel();
    mirror.end(this.#closed());
    stream.close();
    this.#session = undefined;
    await this.#file.close();
  }
}
