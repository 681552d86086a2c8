// Changes of the view that were asked for at this member: each is tried until the view has it, or its time is over.
import type { Clock } from "@wrenmq/cluster";
import type { View } from "./view.ts";

/** Milliseconds that a change may take. */
const PATIENCE = 4_000;

/** @returns undefined: the view has it already. @throws what is wrong with it */
export type Proposal = (view: View) => View | undefined;

interface Waiting {
  readonly propose: Proposal;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

export class Proposals {
  readonly #clock: Clock;
  readonly #wishes: () => void;
  readonly #waiting = new Set<Waiting>();

  /** @param wishes called when there is one more */
  constructor(clock: Clock, wishes: () => void) {
    this.#clock = clock;
    this.#wishes = wishes;
  }

  /** Resolves when the view has it. @throws what the proposal throws; Error: the view could not be changed in time */
  add(propose: Proposal): Promise<void> {
    return new Promise((resolve, reject) => {
      const over = (): void => {
        cancel();
        this.#waiting.delete(waiting);
      };
      const waiting: Waiting = {
        propose,
        done() {
          over();
          resolve();
        },
        failed(error) {
          over();
          reject(error);
        },
      };
      const cancel = this.#clock.at(this.#clock.now() + PATIENCE, () =>
        waiting.failed(new Error("what the members share could not be changed in time: is NATS there?")),
      );
      this.#waiting.add(waiting);
      this.#wishes();
    });
  }

  /** What the view should become; undefined: nothing is asked for. */
  wish(view: View): View | undefined {
    for (const waiting of [...this.#waiting]) {
      try {
        const next = waiting.propose(view);
        if (next !== undefined) return next;
        waiting.done();
      } catch (error) {
        waiting.failed(error as Error);
      }
    }
    return undefined;
  }
}
