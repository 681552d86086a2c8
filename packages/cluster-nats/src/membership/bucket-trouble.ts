// Says that the bucket cannot be used, and when it can be again: attempts go on with every heartbeat, and one line
// for all of them is enough.
import type { Lease } from "./lease.ts";

export class BucketTrouble {
  readonly #lease: Pick<Lease, "whenItHolds">;
  readonly #said: (line: string) => void;
  #isThere = false;

  /** @param lease when it has been renewed the bucket can be used */
  constructor(lease: Pick<Lease, "whenItHolds">, said: (line: string) => void) {
    this.#lease = lease;
    this.#said = said;
  }

  /** An attempt has failed. */
  occurred({ message }: Error): void {
    if (this.#isThere) return;
    this.#isThere = true;
    this.#said(`the bucket of the cluster cannot be used: ${message}`);
    this.#lease.whenItHolds(() => {
      this.#isThere = false;
      this.#said("the bucket of the cluster can be used again");
    });
  }
}
