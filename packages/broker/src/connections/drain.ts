// Emptying a broker before it stops: nobody new is let in, and those who are there are disconnected at a rate, so that
// the brokers that take them are not overrun. MQTT 5 clients get 0x9C (Use another server) with the reference that the
// operator gave. [MQTT5 4.11]
import { ReasonCode } from "@wrenmq/codec";
import type { Millis } from "@wrenmq/protocol";
import type { Clock } from "../runtime/clock.ts";
import type { Timer, Timers } from "../runtime/timers.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";

export interface DrainOptions {
  /** Clients per second; 0: none is disconnected, only nobody new is let in. Default 100. */
  readonly rate?: number;
  /** Server Reference: where to go instead. [MQTT5 3.14.2.2.5] */
  readonly serverReference?: string;
}

export interface DrainState {
  /** Epoch milliseconds. */
  readonly since: Millis;
  readonly rate: number;
  readonly serverReference: string | undefined;
  /** Clients that were disconnected. */
  readonly disconnected: number;
}

export interface DrainParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly registry: { readonly connected: number; values(): IterableIterator<SessionEntry> };
}

const DEFAULT_RATE = 100;
/** Milliseconds between two rounds. */
const ROUND: Millis = 100;

export class Drain {
  readonly #parts: DrainParts;
  #state: (DrainState & { disconnected: number }) | undefined;
  #timer: Timer | undefined;
  /** Goes on where the last round has stopped: sessions that come first must not be looked at again each time. */
  #entries: Iterator<SessionEntry> | undefined;
  /** Clients that are due, where the rate is below one for each round. */
  #due = 0;

  constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  /** undefined: the broker takes clients. */
  get state(): DrainState | undefined {
    return this.#state;
  }

  start({ rate = DEFAULT_RATE, serverReference }: DrainOptions = {}): void {
    this.stop();
    this.#state = { since: this.#parts.clock.now(), rate, serverReference, disconnected: 0 };
    if (rate > 0) this.#schedule();
  }

  /** The broker takes clients again. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#state = undefined;
    this.#entries = undefined;
    this.#due = 0;
  }

  #schedule(): void {
    const { timers, clock } = this.#parts;
    this.#timer = timers.at(clock.now() + ROUND, () => {
      this.#schedule();
      this.#round();
    });
  }

  #round(): void {
    const state = this.#state;
    if (state === undefined || this.#parts.registry.connected === 0) return;
    this.#due = Math.min(state.rate, this.#due + (state.rate * ROUND) / 1000);
    let isSecondTry = false;
    while (this.#due >= 1) {
      this.#entries ??= this.#parts.registry.values();
      const next = this.#entries.next();
      if (next.done === true) {
        this.#entries = undefined;
        if (isSecondTry) return;
        isSecondTry = true;
        continue;
      }
      const { connection } = next.value;
      if (connection === undefined) continue;
      this.#due--;
      state.disconnected++;
      connection.close(ReasonCode.UseAnotherServer, "the server is being emptied", state.serverReference);
    }
  }
}
