// What a session has lost: the number by reason, and the last losses. Made at its first loss, and only with the option
// `dropHistory`.
import type { DropReason, Millis } from "@wrenmq/protocol";

/** Losses that are kept one by one. */
const REMEMBERED = 8;

export interface Drop {
  readonly at: Millis;
  readonly topic: string;
  readonly reason: DropReason;
  /** publisher: a message that it sent was refused; subscriber: a message for it was not delivered. */
  readonly side: "publisher" | "subscriber";
}

export class DropHistory {
  total: number = 0;
  readonly byReason: Map<DropReason, number> = new Map();
  readonly #last: Drop[] = [];

  add(drop: Drop): void {
    this.#last[this.total % REMEMBERED] = drop;
    this.total++;
    this.byReason.set(drop.reason, (this.byReason.get(drop.reason) ?? 0) + 1);
  }

  /** Newest first. */
  get last(): readonly Drop[] {
    const count = this.#last.length;
    return Array.from({ length: count }, (_, back) => this.#last[(this.total - 1 - back) % count] as Drop);
  }
}
