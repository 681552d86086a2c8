// The retained messages: those of a filter, page by page; one with its payload; deleting and exporting them.
import { useState } from "preact/hooks";
import { may } from "../../api/session.ts";
import type { Item } from "../../api/types.ts";
import { Field } from "../../parts/field.tsx";
import { useCommand, useNow, useSettled } from "../../parts/hooks.ts";
import { PagedTable } from "../../parts/paged-table.tsx";
import { usePaging, useSorting } from "../../parts/paging.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import type { Column } from "../../parts/table.tsx";
import { bytes, counted, duration } from "../../pure/format.ts";
import { printable } from "../../pure/messages/payload.ts";
import { hrefOf, type PageProps } from "../../pure/route.ts";
import { DeleteDialog } from "./delete-dialog.tsx";
import { RetainedMessage } from "./message.tsx";

type Retained = Item<"retained.list">;

const SIZE = 50;

const columnsOf = (
  now: number,
  chosen: string | undefined,
  choose: (topic: string) => void,
): readonly Column<Retained>[] => [
  {
    label: "Topic",
    sort: "topic",
    render: ({ topic }) => (
      <button type="button" class="link" aria-pressed={topic === chosen} onClick={() => choose(topic)}>
        {printable(topic)}
      </button>
    ),
  },
  { label: "Size", sort: "bytes", number: true, render: ({ bytes: size }) => bytes(size) },
  { label: "QoS", number: true, wide: true, render: ({ qos }) => qos },
  {
    label: "From",
    wide: true,
    render: ({ publisher }) =>
      publisher === "" ? <span class="soft">server</span> : <a href={hrefOf("clients", publisher)}>{publisher}</a>,
  },
  {
    label: "Expires in",
    number: true,
    wide: true,
    render: ({ expiresAt }) => (expiresAt === undefined ? "–" : duration((Date.parse(expiresAt) - now) / 1_000)),
  },
];

export function RetainedMessages({ route: { query } }: PageProps) {
  const now = useNow(5_000);
  const [filter, setFilter] = useState(query["filter"] ?? "#");
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState<string>();
  const [deleting, setDeleting] = useState<string>();
  const asked = useSettled(filter.trim() === "" ? "#" : filter.trim());
  const contains = useSettled(text.trim());
  const sorting = useSorting<"topic" | "bytes">("topic", ["topic"]);
  const paging = usePaging(JSON.stringify([asked, contains, sorting.by, sorting.descending]));
  const { data, error, refresh } = useCommand(
    "retained.list",
    {
      filter: asked,
      ...(contains === "" ? {} : { contains }),
      sort: sorting.by,
      descending: sorting.descending,
      limit: SIZE,
      cursor: paging.cursor,
    },
    { every: 10_000 },
  );
  return (
    <>
      <search class="toolbar">
        <Field label="Topic filter" value={filter} change={setFilter} placeholder="#" />
        <Field label="Topic contains" type="search" value={text} change={setText} placeholder="all topics" />
        <button type="button" onClick={refresh}>
          Refresh
        </button>
        <span class="grow" />
        {may("operate") && (
          <a
            class="button"
            href={`./api/v1/retained.export?filter=${encodeURIComponent(asked)}`}
            download="retained.jsonl"
            title="With payloads, one JSON object in a line"
          >
            Export
          </a>
        )}
        <button
          type="button"
          class="danger"
          disabled={!may("admin") || contains !== "" || data?.matched === 0}
          title={contains === "" ? "" : "What a text matches cannot be deleted at once: only what a filter matches"}
          onClick={() => setDeleting(asked)}
        >
          Delete all that match
        </button>
      </search>
      {error !== undefined && <Failed error={error} retry={refresh} />}
      {data === undefined && error === undefined && <Loading />}
      <div class={chosen === undefined ? "" : "halves"}>
        {data !== undefined && (
          <PagedTable
            title={`${counted(data.matched, "retained message")}${data.complete ? "" : " or more"}`}
            empty="No topic that matches has a retained message."
            answer={data}
            paging={paging}
            size={SIZE}
            caption="Retained messages"
            columns={columnsOf(now, chosen, setChosen)}
            rowKey={({ topic }) => topic}
            sorting={sorting}
          />
        )}
        {chosen !== undefined && (
          <RetainedMessage
            key={chosen}
            topic={chosen}
            close={() => setChosen(undefined)}
            remove={() => setDeleting(chosen)}
          />
        )}
      </div>
      {deleting !== undefined && (
        <DeleteDialog
          filter={deleting}
          close={() => {
            setDeleting(undefined);
            refresh();
          }}
          done={() => setChosen(undefined)}
        />
      )}
    </>
  );
}
