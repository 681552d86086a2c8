// A long tree of which only the rows that are seen are in the page. All rows have the same height.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface VirtualTreeProps {
  readonly label: string;
  readonly count: number;
  /** Pixels; the style sheet has the same. */
  readonly rowHeight: number;
  readonly row: (index: number) => ComponentChildren;
  /** The row that keys have led to: it is brought into view when it is another one. */
  readonly active: { readonly index: number; readonly id: string } | undefined;
  /** @returns does the key mean something here? */
  readonly onKey: (key: string) => boolean;
}

/** Rows before and after those that are seen. */
const BESIDES = 8;

export function VirtualTree({ label, count, rowHeight, row, active, onKey }: VirtualTreeProps) {
  const host = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  const [room, setRoom] = useState(30);
  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setRoom(Math.ceil(element.clientHeight / rowHeight)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [rowHeight]);
  useEffect(() => {
    const element = host.current;
    if (element === null || active === undefined || active.index < 0) return;
    const top = active.index * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + rowHeight - element.clientHeight;
    }
  }, [active?.id]);
  const start = Math.max(0, Math.min(first, count - room) - BESIDES);
  const end = Math.min(count, first + room + BESIDES);
  return (
    <div
      ref={host}
      class="rows"
      role="tree"
      aria-label={label}
      aria-activedescendant={active?.id}
      tabIndex={0}
      onScroll={({ currentTarget }) => setFirst(Math.floor(currentTarget.scrollTop / rowHeight))}
      onKeyDown={(event) => {
        if (event.altKey || event.ctrlKey || event.metaKey || !onKey(event.key)) return;
        event.preventDefault();
      }}
    >
      <div style={{ height: `${count * rowHeight}px` }}>
        <div style={{ transform: `translateY(${start * rowHeight}px)` }}>
          {Array.from({ length: Math.max(0, end - start) }, (_, index) => row(start + index))}
        </div>
      </div>
    </div>
  );
}
