// Drains a broker before it stops: new clients are refused, and connected ones are disconnected at a rate, so that the
// brokers that take them are not overloaded. MQTT 5 clients get 0x9C (Use another server) with the reference that the
// operator gave. [MQTT5 4.11]
import { ReasonCode } from "@wrenmq/codec";
import type { Millis } from "@wrenmq/protocol";
import type { Clock } from "../runtime/clock.ts";
import type { Timer, Timers } from "../runtime/timers.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";

export interface DrainOptions {
  /**
   * Clients to disconnect per second, which may be less than one; 0: none, only new clients are refused. Default 100.
   */
  readonly rate?: number;
  /** Server Reference of the DISCONNECT: where clients are to connect instead. Default: none is sent. [MQTT5 3.14.2.2.5] */
  readonly serverReference?: string;
  /** Clients are refused because the server cannot serve them: 0x88 in place of 0x9C. Default false. */
  readonly isUnavailable?: boolean;
}

export interface DrainState {
  /** Epoch milliseconds. */
  readonly since: Millis;
  readonly rate: number;
  readonly serverReference: string | undefined;
  readonly isUnavailable: boolean;
  /** Number of clients that were disconnected. */
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
  /** Continues where the last round has stopped, so that the first sessions are not visited again in each round. */
  #entries: Iterator<SessionEntry> | undefined;
  /** Clients that are due; a fraction where the rate is below one per round. */
  #due = 0;

  constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  /** undefined: the broker is not drained */
  get state(): DrainState | undefined {
    return this.#state;
  }

  start({ rate = DEFAULT_RATE, serverReference, isUnavailable = false }: DrainOptions = {}): void {
    this.stop();
    this.#state = { since: this.#parts.clock.now(), rate, serverReference, isUnavailable, disconnected: 0 };
    if (rate > 0) this.#schedule();
  }

  /** Accepts clients again. */
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
    this.#due = Math.min(Math.max(state.rate, 1), this.#due + (state.rate * ROUND) / 1000);
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
