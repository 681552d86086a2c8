// The end of a turn of the event loop: commits the facts of the turn to the store, then writes output, one write for
// each connection.
import type { Clock } from "./clock.ts";

export interface Flushable {
  flush(): void;
}

/** Has facts that are committed at the end of a turn. */
export interface Committable {
  readonly isPending: boolean;
  commit(): void;
}

export class Flusher {
  factLog: Committable | undefined = undefined;
  /** Called after each turn's writes; undefined: nobody waits for them. */
  whenFlushed: (() => void) | undefined = undefined;
  readonly #clock: Clock;
  readonly #turn: () => void;
  #ready: Flushable[] = [];
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#turn = () => this.run();
  }

  add(connection: Flushable): void {
    this.#ready.push(connection);
    this.wake();
  }

  wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.soon(this.#turn);
  }

  run(): void {
    this.factLog?.commit();
    const ready = this.#ready;
    this.#ready = [];
    this.#scheduled = false;
    // Callbacks about durable facts may have recorded new facts.
    if (this.factLog?.isPending === true) this.wake();
    for (const connection of ready) connection.flush();
    if (this.whenFlushed !== undefined) this.whenFlushed();
  }
}
