// What a session lost: how much for which reason, and the last of it. Made at its first loss, and only where the broker
// keeps such a history (`dropHistory`).
import type { DropReason, Millis } from "@wrenmq/protocol";

/** Losses that are remembered one by one. */
const REMEMBERED = 8;

export interface Drop {
  readonly at: Millis;
  readonly topic: string;
  readonly reason: DropReason;
  /** publisher: what it sent was refused; subscriber: what was for it did not reach it. */
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

  /** The newest first. */
  get last(): readonly Drop[] {
    const count = this.#last.length;
    return Array.from({ length: count }, (_, back) => this.#last[(this.total - 1 - back) % count] as Drop);
  }
}
