// Pages of long lists. Each member makes a page of its own entries with their sort keys; the pages of all become one.
import { AdminError } from "./admin-error.ts";
import { type ScanGate, SlicedScan } from "./scan.ts";

type Key = number | string;

/** The place of an entry in a list. */
interface Place {
  readonly key: Key;
  /** Distinguishes entries with the same key. */
  readonly identity: string;
}

export interface Ranked<T> extends Place {
  readonly item: T;
}

export interface PageOptions<T, Item> {
  readonly entries: Iterable<T>;
  readonly matches: (entry: T) => boolean;
  /** The sort key of an entry. */
  readonly key: (entry: T) => Key;
  readonly identity: (entry: T) => string;
  readonly descending: boolean;
  readonly limit: number;
  /** End of the previous page. */
  readonly cursor: string | undefined;
  /** An entry of the page as it is shown. */
  readonly show: (entry: T) => Item;
}

/** A page of one member's entries. */
export interface RankedPage<Item> {
  readonly items: readonly Ranked<Item>[];
  /** Are there further entries? */
  readonly more: boolean;
  readonly matched: number;
  readonly complete: boolean;
}

export interface Page<Item> {
  readonly items: Item[];
  /** Absent: this is the last page. */
  readonly cursor?: string;
  /** Number of entries that match, on all pages. */
  readonly matched: number;
  /** False: there were too many entries, and `items` and `matched` cover a part of them. */
  readonly complete: boolean;
}

/**
 * One page of the entries that match.
 * @throws AdminError
 */
export async function pageOf<T, Item>(gate: ScanGate, options: PageOptions<T, Item>): Promise<RankedPage<Item>> {
  const { entries, matches, key, identity, descending, limit, show } = options;
  const after = options.cursor === undefined ? undefined : parseCursor(options.cursor);
  const order = orderOf(descending);
  const leave = await gate.enter();
  try {
    const kept: (Place & { readonly entry: T })[] = [];
    let matched = 0;
    let worst: Place | undefined;
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
    const items = kept.slice(0, limit).map(({ entry, ...place }) => ({ ...place, item: show(entry) }));
    return { items, more: kept.length > limit, matched, complete: scan.complete };
  } finally {
    leave();
  }
}

/** The page of all: the first entries of the members' pages. */
export function mergePages<Item>(
  pages: readonly RankedPage<Item>[],
  { descending, limit }: { readonly descending: boolean; readonly limit: number },
): Page<Item> {
  const order = orderOf(descending);
  const heads = pages.map(() => 0);
  const items: Item[] = [];
  let last: Place | undefined;
  while (items.length < limit) {
    let from = -1;
    let first: Ranked<Item> | undefined;
    for (const [index, { items: own }] of pages.entries()) {
      const head = own[heads[index] ?? 0];
      if (head === undefined || (first !== undefined && order(head, first) >= 0)) continue;
      first = head;
      from = index;
    }
    if (first === undefined) break;
    heads[from] = (heads[from] ?? 0) + 1;
    items.push(first.item);
    last = first;
  }
  const isMore = pages.some(({ items: own, more }, index) => more || (heads[index] ?? 0) < own.length);
  return {
    items,
    ...(isMore && last !== undefined ? { cursor: formatCursor(last) } : {}),
    matched: pages.reduce((sum, page) => sum + page.matched, 0),
    complete: pages.every(({ complete }) => complete),
  };
}

function orderOf(descending: boolean): (one: Place, other: Place) => number {
  const direction = descending ? -1 : 1;
  return (one, other) => compare(one.key, other.key) * direction || compare(one.identity, other.identity);
}

function compare(one: Key, other: Key): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function formatCursor({ key, identity }: Place): string {
  return Buffer.from(JSON.stringify([key, identity])).toString("base64url");
}

function parseCursor(cursor: string): Place {
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
