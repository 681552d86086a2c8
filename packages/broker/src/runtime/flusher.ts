// The end of a turn of the event loop: first what was learnt is made durable, then what was said is sent, one write for
// each connection.

import type { FactLog } from "../persistence/fact-log.ts";
import type { Clock } from "./clock.ts";

export interface Flushable {
  flush(): void;
}

export class Flusher {
  factLog: FactLog | undefined = undefined;
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
    // Telling of what became durable may have brought new facts.
    if (this.factLog?.isPending === true) this.wake();
    for (const connection of ready) connection.flush();
  }
}
