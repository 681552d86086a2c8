// Connections whose shard is on its way from one member to another: they are not read until it is there, or their time is
// over. So a move is a pause for those who come meanwhile, and not one failed attempt after the other.
import type { Clock } from "@wrenmq/cluster";
import { copyBytes } from "@wrenmq/protocol";
import type { Connection, ConnectionHandler } from "@wrenmq/transport";

/** Milliseconds that a connection waits at most, and between two attempts. */
const PATIENCE = 10_000;
const ATTEMPTS = 250;
/** Connections that wait at most, and bytes of each that a transport delivers although it was paused. */
const MOST = 50_000;
const MOST_BYTES = 64 * 1024;

/** @returns the handler of the connection from now on, which has got the bytes; undefined: there is none yet */
export type Attempt = (head: Uint8Array) => ConnectionHandler | undefined;

export class WaitingRoom {
  readonly #clock: Clock;
  readonly #waiting = new Set<WaitingClient>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** @returns undefined: it is full */
  enter(connection: Connection, head: Uint8Array, attempt: Attempt): ConnectionHandler | undefined {
    if (this.#waiting.size >= MOST) return undefined;
    const until = this.#clock.now() + PATIENCE;
    const client = new WaitingClient(connection, head, attempt, until, () => this.#waiting.delete(client));
    this.#waiting.add(client);
    connection.pause();
    this.#tryLater();
    return client;
  }

  /** Something has changed: it may be there now. */
  tryAll(): void {
    const now = this.#clock.now();
    for (const client of [...this.#waiting]) client.proceed(now);
  }

  /** Nobody will serve them here any more. */
  close(): void {
    for (const client of [...this.#waiting]) client.giveUp();
  }

  #tryLater(): void {
    if (this.#cancel !== undefined) return;
    this.#cancel = this.#clock.at(this.#clock.now() + ATTEMPTS, () => {
      this.#cancel = undefined;
      this.tryAll();
      if (this.#waiting.size > 0) this.#tryLater();
    });
  }
}

class WaitingClient implements ConnectionHandler {
  readonly #connection: Connection;
  readonly #attempt: Attempt;
  readonly #until: number;
  readonly #left: () => void;
  #bytes: Uint8Array;
  /** Bytes that have come although it was paused. */
  #more = 0;
  #next: ConnectionHandler | undefined;

  constructor(connection: Connection, head: Uint8Array, attempt: Attempt, until: number, left: () => void) {
    this.#connection = connection;
    this.#bytes = head;
    this.#attempt = attempt;
    this.#until = until;
    this.#left = left;
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    if (this.#next !== undefined) {
      this.#next.data(bytes, start, end);
      return;
    }
    this.#more += end - start;
    if (this.#more > MOST_BYTES) {
      this.giveUp();
      return;
    }
    const joined = new Uint8Array(this.#bytes.length + end - start);
    joined.set(this.#bytes);
    joined.set(copyBytes(bytes, start, end), this.#bytes.length);
    this.#bytes = joined;
  }

  drain(): void {
    this.#next?.drain();
  }

  closed(error: Error | undefined): void {
    this.#left();
    this.#next?.closed(error);
  }

  proceed(now: number): void {
    const next = this.#attempt(this.#bytes);
    if (next === undefined) {
      if (now >= this.#until) this.giveUp();
      return;
    }
    this.#next = next;
    this.#left();
    this.#connection.resume();
  }

  giveUp(): void {
    this.#left();
    this.#connection.destroy();
  }
}
