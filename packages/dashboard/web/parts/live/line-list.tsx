// Lines of a stream, the newest first; each can be opened to see all of it.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Numbered } from "../../pure/messages/recent.ts";

interface LineListProps<T> {
  readonly label: string;
  readonly entries: readonly Numbered<T>[];
  readonly line: (item: T) => ComponentChildren;
  readonly all: (item: T) => ComponentChildren;
}

export function LineList<T>({ label, entries, line, all }: LineListProps<T>) {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const toggle = (number: number): void => {
    const next = new Set(open);
    if (!next.delete(number)) next.add(number);
    setOpen(next);
  };
  return (
    <ol class="messages" aria-label={label} reversed>
      {entries.toReversed().map(({ number, item }) => {
        const isOpen = open.has(number);
        return (
          <li key={number}>
            <button type="button" aria-expanded={isOpen} onClick={() => toggle(number)}>
              {line(item)}
            </button>
            {isOpen && all(item)}
          </li>
        );
      })}
    </ol>
  );
}
