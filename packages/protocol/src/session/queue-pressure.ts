// A session whose queue is at its bound: since when it holds publishers, whether it still may, and what waits for it.
import type { Millis } from "../time.ts";

export class QueuePressure {
  /** Since when publishers wait; undefined: none does. */
  congestedSince: Millis | undefined = undefined;
  /** Messages that the session was not given because it does not keep up; undefined: it keeps up. */
  missed: number | undefined = undefined;
  #publishers: (() => void)[] = [];
  #room: (() => void)[] = [];

  get isWaitedFor(): boolean {
    return this.congestedSince !== undefined || this.#publishers.length > 0 || this.#room.length > 0;
  }

  whenRelieved(callback: () => void): void {
    this.#publishers.push(callback);
  }

  whenRoom(callback: () => void): void {
    this.#room.push(callback);
  }

  /** Publishers go on. */
  relieve(): void {
    this.congestedSince = undefined;
    const waiting = this.#publishers;
    this.#publishers = [];
    for (const callback of waiting) callback();
  }

  /** Those that wait for room continue too. */
  release(): void {
    this.relieve();
    const waiting = this.#room;
    this.#room = [];
    for (const callback of waiting) callback();
  }
}
