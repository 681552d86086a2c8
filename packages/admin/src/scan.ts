// Goes through all entries of a large set in slices, so that listing 100,000 clients does not delay messages. Only the
// page that was asked for is kept in memory.
import { AdminError } from "./admin-error.ts";

/** Milliseconds of one slice; other work runs in between. */
const SLICE = 2;
/** Entries between two readings of the clock. */
const STEP = 64;
/** Milliseconds of work after which a scan ends without having seen everything. */
const MOST_WORK = 5_000;
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

type Key = number | string;

export interface PageOptions<T> {
  readonly entries: Iterable<T>;
  readonly matches: (entry: T) => boolean;
  /** The sort key of an entry. */
  readonly key: (entry: T) => Key;
  /** Distinguishes entries with the same key. */
  readonly identity: (entry: T) => string;
  readonly descending: boolean;
  readonly limit: number;
  /** End of the previous page. */
  readonly cursor: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent: this is the last page. */
  readonly cursor?: string;
  /** Number of entries that match, on all pages. */
  readonly matched: number;
  /** False: there were too many entries, and `items` and `matched` cover a part of them. */
  readonly complete: boolean;
}

interface Ranked<T> {
  readonly key: Key;
  readonly identity: string;
  readonly entry: T;
}

/**
 * One page of the entries that match.
 * @throws AdminError
 */
export async function pageOf<T>(gate: ScanGate, options: PageOptions<T>): Promise<Page<T>> {
  const { entries, matches, key, identity, descending, limit } = options;
  const after = options.cursor === undefined ? undefined : parseCursor(options.cursor);
  const direction = descending ? -1 : 1;
  const order = (one: Omit<Ranked<T>, "entry">, other: Omit<Ranked<T>, "entry">): number =>
    compare(one.key, other.key) * direction || compare(one.identity, other.identity);
  const leave = await gate.enter();
  try {
    const kept: Ranked<T>[] = [];
    let matched = 0;
    let worst: Ranked<T> | undefined;
    const scan = new SlicedScan(entries);
    const shorten = (): void => {
      kept.sort(order);
      kept.length = Math.min(kept.length, limit + 1);
      worst = kept.length > limit ? kept.at(-1) : undefined;
    };
    await scan.run((entry) => {
      if (!matches(entry)) return undefined;
      matched++;
      const ranked = { key: key(entry), identity: identity(entry), entry };
      if (after !== undefined && order(ranked, after) <= 0) return undefined;
      if (worst !== undefined && order(ranked, worst) >= 0) return undefined;
      kept.push(ranked);
      if (kept.length >= limit * 2 + 64) shorten();
      return undefined;
    });
    shorten();
    const items = kept.slice(0, limit);
    const last = items.at(-1);
    return {
      items: items.map(({ entry }) => entry),
      ...(kept.length > limit && last !== undefined ? { cursor: formatCursor(last.key, last.identity) } : {}),
      matched,
      complete: scan.complete,
    };
  } finally {
    leave();
  }
}

function compare(one: Key, other: Key): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function formatCursor(key: Key, identity: string): string {
  return Buffer.from(JSON.stringify([key, identity])).toString("base64url");
}

function parseCursor(cursor: string): { readonly key: Key; readonly identity: string } {
  try {
    const [key, identity] = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")) as unknown[];
    if ((typeof key === "number" || typeof key === "string") && typeof identity === "string") return { key, identity };
  } catch {
    // Reported below.
  }
  throw new AdminError("invalid_input", "the cursor is none that a page had", {
    field: "cursor",
    expected: "the cursor of the page before",
  });
}
