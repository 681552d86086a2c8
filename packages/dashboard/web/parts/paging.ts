// The cursors of the pages that were seen, and the order of a list.
import { useState } from "preact/hooks";
import type { Sorting } from "./table.tsx";

export interface Paging {
  readonly cursor: string | undefined;
  readonly page: number;
  next(cursor: string): void;
  previous(): void;
}

/** @param key begins at the first page when it changes */
export function usePaging(key: string): Paging {
  const [state, setState] = useState<{ readonly key: string; readonly cursors: readonly string[] }>({
    key,
    cursors: [],
  });
  const cursors = state.key === key ? state.cursors : [];
  return {
    cursor: cursors.at(-1),
    page: cursors.length,
    next: (cursor) => setState({ key, cursors: [...cursors, cursor] }),
    previous: () => setState({ key, cursors: cursors.slice(0, -1) }),
  };
}

interface Order<By extends string> extends Sorting {
  readonly by: By;
  /** Sorts by this, in its usual order. */
  begin(by: By): void;
}

/** @param textual columns whose usual order is ascending; numbers begin with the largest */
export function useSorting<By extends string>(first: By, textual: readonly string[]): Order<By> {
  const [order, setOrder] = useState<{ readonly by: By; readonly descending: boolean }>({
    by: first,
    descending: !textual.includes(first),
  });
  return {
    ...order,
    begin: (by) => setOrder({ by, descending: !textual.includes(by) }),
    change: (by) =>
      setOrder((old) => ({
        by: by as By,
        descending: by === old.by ? !old.descending : !textual.includes(by),
      })),
  };
}
