// The topics of which messages come, as a tree that fills while one looks at it.
import { useEffect, useRef, useState } from "preact/hooks";
import { may } from "../../api/session.ts";
import { Field } from "../../parts/field.tsx";
import { LeftOut } from "../../parts/live/left-out.tsx";
import { StreamNote, useRedraw, useStream } from "../../parts/live/stream.tsx";
import { Empty } from "../../parts/states.tsx";
import { count, counted } from "../../pure/format.ts";
import { MOST_A_SECOND } from "../../pure/messages/message.ts";
import type { TopicNode } from "../../pure/messages/topic-node.ts";
import { TopicTree } from "../../pure/messages/topic-tree.ts";
import { rowsOf } from "../../pure/messages/tree-rows.ts";
import { hrefOf, type PageProps } from "../../pure/route.ts";
import { TopicDetails } from "./details.tsx";
import { TreeView } from "./tree-view.tsx";

/** Bytes of each payload: where many topics are watched, and where one is. */
const PAYLOAD = { many: 8_192, one: 65_536 } as const;
const EXAMPLES = ["#", "$SYS/#"];

interface Watched {
  readonly filter: string;
  readonly tree: TopicTree;
  /** Messages that are left out. */
  readonly missed: { tooFast: number; paused: number };
}

const watch = (filter: string): Watched => ({ filter, tree: new TopicTree(), missed: { tooFast: 0, paused: 0 } });

export function Topics({ route: { query } }: PageProps) {
  const asked = query["filter"] ?? "#";
  const [text, setText] = useState(asked);
  const [find, setFind] = useState("");
  const [watched, setWatched] = useState(() => watch(asked));
  const [selected, setSelected] = useState<TopicNode>();
  const [isPaused, setPaused] = useState(false);
  const paused = useRef(isPaused);
  paused.current = isPaused;
  const redraw = useRedraw();
  const { filter, tree, missed } = watched;
  const begin = (next: string): void => {
    setWatched(watch(next));
    setSelected(undefined);
    setPaused(false);
  };
  const openAll = (isOpen: boolean): void => {
    tree.setOpen(isOpen);
    redraw.now();
  };
  useEffect(() => {
    setText(asked);
    if (asked !== filter) begin(asked);
  }, [asked]);
  const payloadBytes = /[#+]/.test(filter) ? PAYLOAD.many : PAYLOAD.one;
  const streamed = useStream("messages.watch", may("operate") ? { filter, payloadBytes } : undefined, (batch) => {
    for (const line of batch) {
      if ("dropped" in line) missed.tooFast += line.dropped;
      else if (paused.current) missed.paused++;
      else tree.add(line);
    }
    redraw.soon();
  });
  if (!may("operate")) return <Empty>Messages are for those who have the role “operate”: this token has it not.</Empty>;
  const rows = rowsOf(tree.root, find.trim());
  const { topics, messages } = tree.root;
  return (
    <>
      <form
        class="toolbar"
        onSubmit={(event) => {
          event.preventDefault();
          const next = text.trim() === "" ? "#" : text.trim();
          if (next === filter) {
            begin(next);
            streamed.restart();
          }
          location.hash = hrefOf("topics", undefined, { filter: next });
        }}
      >
        <Field label="Watch the topic filter" value={text} change={setText} list={EXAMPLES} />
        <button type="submit">Watch</button>
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? "Go on" : "Pause"}
        </button>
        <button type="button" onClick={() => begin(filter)}>
          Clear
        </button>
        <StreamNote streamed={streamed} />
        <span class="soft">
          {counted(topics, "topic")}, {counted(messages, "message")}
        </span>
      </form>
      <LeftOut
        reasons={[
          missed.tooFast > 0 &&
            `${counted(missed.tooFast, "message")}: more than ${count(MOST_A_SECOND)} a second. A narrower filter helps.`,
          tree.leftOut > 0 &&
            `${counted(tree.leftOut, "message")} of further topics: the tree is full with ${counted(topics, "topic")}.`,
          missed.paused > 0 && `${counted(missed.paused, "message")} while it was paused.`,
        ]}
      />
      <div class="halves">
        <section class="panel beside" aria-label={`Topics that ${filter} matches`}>
          <header>
            <Field label="Find" type="search" value={find} change={setFind} placeholder="a part of a topic" />
            <div class="aside">
              <button type="button" onClick={() => openAll(true)}>
                Open all
              </button>
              <button type="button" onClick={() => openAll(false)}>
                Close all
              </button>
            </div>
          </header>
          {rows.length === 0 ? (
            <Empty>{topics === 0 ? "Waiting for messages …" : "No topic contains this."}</Empty>
          ) : (
            <TreeView rows={rows} selected={selected} select={setSelected} changed={redraw.now} />
          )}
        </section>
        {selected === undefined ? (
          <section class="panel" aria-label="Topic">
            <Empty>Choose a topic to see its messages.</Empty>
          </section>
        ) : (
          <TopicDetails key={selected.path} node={selected} count={selected.count} />
        )}
      </div>
    </>
  );
}
