// A stream in memory, and ways to it that lose, delay, repeat and cut, all decided by one seed.
import type { Appended, JournalStream, StreamState } from "@wrenmq/store-nats";
import type { SimTime } from "./sim-time.ts";

/** Milliseconds until an operation counts as failed. */
const TIMEOUT = 2_000;

export class FakeStream {
  /** Message `first + i`. */
  messages: Uint8Array[] = [];
  first = 1;
  /** Number of purges that have removed something. */
  purges = 0;

  get last(): number {
    return this.first + this.messages.length - 1;
  }

  get bytes(): number {
    return this.messages.reduce((sum, { length }) => sum + length, 0);
  }

  append(message: Uint8Array, expected: number): Appended {
    if (expected !== this.last) return { refusedAfter: this.last };
    this.messages.push(message);
    return { sequence: this.last };
  }

  message(sequence: number): Uint8Array | undefined {
    return this.messages[sequence - this.first];
  }

  purge(first: number): void {
    const count = Math.min(first - this.first, this.messages.length);
    if (count <= 0) return;
    this.messages.splice(0, count);
    this.first += count;
    this.purges++;
  }
}

export interface Faults {
  /** Probabilities that a request or an answer is lost, and that a request comes twice. */
  readonly lost: number;
  readonly repeated: number;
  /** Probability that a question is answered by a server that does not have the newest messages yet. */
  readonly stale: number;
  /** Milliseconds at most in each direction; what is late overtakes. */
  readonly delay: number;
}

export const NO_FAULTS: Faults = { lost: 0, repeated: 0, stale: 0, delay: 1 };

/** The way of one owner to the stream. */
export class Port implements JournalStream {
  readonly name: string = "WREN_test_J0";
  readonly longest: number;
  faults: Faults;
  isThere: boolean = true;
  /** For each operation an error in place of its work. */
  readonly broken: Map<string, () => Error> = new Map();
  readonly #stream: FakeStream;
  readonly #time: SimTime;
  readonly #random: () => number;

  constructor(stream: FakeStream, time: SimTime, next: () => number, faults: Faults, longest = 1_000) {
    this.#stream = stream;
    this.#time = time;
    this.#random = next;
    this.faults = faults;
    this.longest = longest;
  }

  create(): Promise<void> {
    return this.#call("create", () => {});
  }

  state(): Promise<StreamState> {
    return this.#call("state", () => {
      const { first } = this.#stream;
      return { first, last: Math.max(first - 1, this.#newest()) };
    });
  }

  append(message: Uint8Array, expected: number): Promise<Appended> {
    const copy = new Uint8Array(message);
    return this.#call("append", () => this.#stream.append(copy, expected));
  }

  message(sequence: number): Promise<Uint8Array | undefined> {
    return this.#call("message", () => (sequence > this.#newest() ? undefined : this.#stream.message(sequence)));
  }

  async read(from: number, to: number, each: (sequence: number, message: Uint8Array) => void): Promise<void> {
    for (let next = from; next <= to; ) {
      const [sequence, found] = await this.#call("read", () => {
        const there = Math.max(next, this.#stream.first);
        return [there, this.#stream.messages.slice(there - this.#stream.first).slice(0, 7)] as const;
      });
      next = sequence;
      for (const message of found) {
        if (next > to) break;
        // Its memory is used again, as the client's is.
        const lent = new Uint8Array(message);
        each(next++, lent);
        lent.fill(0xee);
      }
    }
  }

  purge(first: number): Promise<void> {
    return this.#call("purge", () => this.#stream.purge(first));
  }

  close(): void {}

  /** The last message that the server has that answers. */
  #newest(): number {
    const isStale = this.#random() < this.faults.stale;
    return this.#stream.last - (isStale ? Math.ceil(this.#random() * 3) : 0);
  }

  cut(milliseconds: number): void {
    this.isThere = false;
    this.#time.at(this.#time.now() + milliseconds, () => {
      this.isThere = true;
    });
  }

  #call<T>(name: string, work: () => T): Promise<T> {
    const broken = this.broken.get(name);
    if (broken !== undefined) return Promise.reject(broken());
    if (!this.isThere) return Promise.reject(new Error("there is no connection"));
    const { lost, repeated, delay } = this.faults;
    return new Promise((resolve, reject) => {
      const late = this.#after(TIMEOUT, () => reject(new Error(`${name}: no answer`)));
      do {
        if (this.#random() < lost) continue;
        this.#after(this.#random() * delay, () => {
          if (!this.isThere) return;
          const result = work();
          if (this.#random() < lost) return;
          this.#after(this.#random() * delay, () => {
            late();
            resolve(result);
          });
        });
      } while (this.#random() < repeated);
    });
  }

  #after(milliseconds: number, run: () => void): () => void {
    return this.#time.at(this.#time.now() + milliseconds, run);
  }
}

/** A way without delay or fault. */
export function directTo(stream: FakeStream, longest: number): JournalStream {
  return {
    name: "WREN_test_J0",
    longest,
    create: async () => {},
    state: async () => ({ first: stream.first, last: stream.last }),
    append: async (message, expected) => stream.append(new Uint8Array(message), expected),
    message: async (sequence) => stream.message(sequence),
    async read(from, to, each) {
      for (let next = from; next <= to; next++) each(next, stream.message(next) as Uint8Array);
    },
    purge: async (first) => stream.purge(first),
    close: () => {},
  };
}
