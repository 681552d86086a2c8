// For how long each member was not heard of, by this member's clock.
import type { View } from "./view.ts";

export class Silence {
  /** When each was heard last, by its run; or since when silence counts. */
  readonly #heardAt = new Map<number, number>();

  /** What was before `now` says nothing: this member could not hear. */
  listensAgain(now: number): void {
    for (const run of this.#heardAt.keys()) this.#heardAt.set(run, now);
  }

  viewed({ members }: View, now: number): void {
    for (const run of this.#heardAt.keys()) if (!members.some((one) => one.run === run)) this.#heardAt.delete(run);
    for (const { run } of members) if (!this.#heardAt.has(run)) this.#heardAt.set(run, now);
  }

  heard(run: number, now: number): void {
    if (this.#heardAt.has(run)) this.#heardAt.set(run, now);
  }

  /** Milliseconds; 0 for one that is no member. */
  of(run: number, now: number): number {
    return now - (this.#heardAt.get(run) ?? now);
  }
}
