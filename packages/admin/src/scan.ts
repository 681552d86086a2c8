// Goes through all entries of a large set in slices, so that listing 100,000 clients does not delay messages.
import { AdminError } from "./admin-error.ts";

/** Milliseconds of one slice; other work runs in between. */
const SLICE = 2;
/** Entries between two readings of the clock. */
const STEP = 64;
/** Milliseconds of work after which a scan ends without having seen everything. */
const MOST_WORK = 5_000;
/** Milliseconds after which a scan is over, with the turns of others in between. */
export const SCAN_PATIENCE = 20_000;
/** Scans that run at the same time, and scans that may wait. */
const AT_ONCE = 2;
const MOST_WAITING = 64;

/** Limits how many scans run at the same time: together they take no more of a turn than one. */
export class ScanGate {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** @throws AdminError too_many_requests */
  async enter(): Promise<() => void> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING) {
        throw new AdminError("too_many_requests", "too many lists are being made", { retryAfter: 1 });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    };
  }
}

/** Yields every entry, with pauses for other work. It ends early after 5 s of work: then `complete` is false. */
export class SlicedScan<T> {
  complete: boolean = true;
  readonly #entries: Iterable<T>;

  constructor(entries: Iterable<T>) {
    this.#entries = entries;
  }

  async run(look: (entry: T) => boolean | undefined): Promise<void> {
    let since = performance.now();
    let work = 0;
    let count = 0;
    for (const entry of this.#entries) {
      if (look(entry) === false) return;
      if (++count % STEP !== 0) continue;
      const spent = performance.now() - since;
      if (spent < SLICE) continue;
      work += spent;
      if (work >= MOST_WORK) {
        this.complete = false;
        return;
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
      since = performance.now();
    }
  }
}
