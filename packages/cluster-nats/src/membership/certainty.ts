// What acknowledgements wait for while the lease does not hold: one promise for all of them, as there may be thousands.
import type { Lease } from "./lease.ts";

export class Certainty {
  readonly #lease: Pick<Lease, "holds" | "whenItHolds">;
  #waiting: Promise<void> | undefined;

  constructor(lease: Pick<Lease, "holds" | "whenItHolds">) {
    this.#lease = lease;
  }

  /** Resolves when this member may acknowledge again. @returns undefined: it may now */
  when(): Promise<void> | undefined {
    if (this.#lease.holds) return undefined;
    this.#waiting ??= new Promise<void>((resolve) => {
      this.#lease.whenItHolds(() => {
        this.#waiting = undefined;
        resolve();
      });
    });
    return this.#waiting;
  }
}
