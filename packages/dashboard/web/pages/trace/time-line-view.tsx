// Lines of a trace: a text is looked for, only packets or losses are shown; each line opens to all that it has.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Choice, Field } from "../../parts/field.tsx";
import { useSettled } from "../../parts/hooks.ts";
import { Empty, Section } from "../../parts/states.tsx";
import { Pager } from "../../parts/table.tsx";
import { count } from "../../pure/format.ts";
import type { Entry, Only, TimeLine } from "../../pure/time-line.ts";

interface TimeLineProps {
  readonly name: string;
  readonly line: TimeLine;
  /** Of the entries: it is drawn again when there are more. */
  readonly size: number;
  /** Shows the last page while it grows. Default false. */
  readonly follows?: boolean;
  readonly close: (() => void) | undefined;
}

const PAGE = 200;

export function TimeLineView({ name, line, size, follows = false, close }: TimeLineProps) {
  const [only, setOnly] = useState<Only>("all");
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState<number>();
  const wanted = useSettled(text.trim());
  const counts = useMemo(() => line.counts(), [line, size]);
  const found = useMemo(() => line.found(only, wanted), [line, size, only, wanted]);
  const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
  const page = Math.min(last, chosen ?? (follows ? last : 0));
  const shown = found.slice(page * PAGE, (page + 1) * PAGE);
  const isFollowing = follows && chosen === undefined;
  const options = {
    all: `All ${count(size)}`,
    packet: `Packets ${count(counts.packet)}`,
    decision: `Decisions ${count(counts.decision)}`,
    message: `Messages ${count(counts.message)}`,
    loss: `Losses ${count(counts.loss)}`,
  };
  const choose = (next: Only): void => {
    setOnly(next);
    setChosen(undefined);
  };
  return (
    <>
      <div class="toolbar">
        <Choice label="Lines" options={options} value={only} change={choose} />
        <Field label="Text" type="search" value={text} change={setText} placeholder="all lines" />
      </div>
      <Section
        title={name}
        aside={
          close !== undefined && (
            <button type="button" onClick={close}>
              Close
            </button>
          )
        }
      >
        <p class="note soft">{line.title}</p>
        {shown.length === 0 ? (
          <Empty>{size === 0 ? "Nothing has happened yet." : "No line matches."}</Empty>
        ) : (
          <Lines entries={shown} atEnd={isFollowing} label={name} />
        )}
        <Pager
          shown={shown.length}
          matched={found.length}
          complete
          page={page}
          size={PAGE}
          next={page < last ? () => setChosen(page + 1 === last && follows ? undefined : page + 1) : undefined}
          previous={page > 0 ? () => setChosen(page - 1) : undefined}
        />
      </Section>
    </>
  );
}

interface LinesProps {
  readonly entries: readonly Entry[];
  /** Is the last line kept in view? */
  readonly atEnd: boolean;
  readonly label: string;
}

function Lines({ entries, atEnd, label }: LinesProps) {
  const host = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const element = host.current;
    if (element !== null && atEnd && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [entries, atEnd]);
  return (
    <div
      ref={host}
      class="time-line"
      role="log"
      aria-label={label}
      aria-live="off"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also with the keyboard
      tabIndex={0}
      onScroll={(event) => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 40;
      }}
    >
      {entries.map((entry) => (
        <Line key={entry.number} entry={entry} />
      ))}
    </div>
  );
}

function Line({ entry: { seconds, text, group, record } }: { readonly entry: Entry }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details class={group} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>
        <time>{seconds}</time>
        <span>{text}</span>
      </summary>
      {isOpen && <pre>{JSON.stringify(record, undefined, 2)}</pre>}
    </details>
  );
}
