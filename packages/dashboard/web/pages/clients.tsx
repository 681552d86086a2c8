// Who is connected: search, order, pages; and who is kept out.
import { useState } from "preact/hooks";
import { write } from "../api/commands.ts";
import { messageOf } from "../api/problem.ts";
import { may } from "../api/session.ts";
import type { Input, Item } from "../api/types.ts";
import { say } from "../parts/announce.tsx";
import { Field, Select } from "../parts/field.tsx";
import { useCommand, useNow, useSettled } from "../parts/hooks.ts";
import { PagedTable } from "../parts/paged-table.tsx";
import { usePaging, useSorting } from "../parts/paging.ts";
import { Badge, Failed, Incomplete, Loading, Section } from "../parts/states.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { count, dateAndTime, duration, since } from "../pure/format.ts";
import { hrefOf, type PageProps } from "../pure/route.ts";

type Client = Item<"clients.list">;
type Sort = NonNullable<Input<"clients.list">["sort"]>;

const SIZE = 50;
export const SEARCH = {
  contains: "identifier contains",
  prefix: "identifier begins with",
  clientId: "identifier is",
  username: "user name is",
  address: "address is",
  listener: "listener is",
} as const;
const SORTS: readonly string[] = ["clientId", "queued", "inflight", "dropped", "subscriptions", "connectedAt"];

const columnsAt = (now: number): readonly Column<Client>[] => [
  { label: "Client", sort: "clientId", render: ({ clientId }) => <a href={hrefOf("clients", clientId)}>{clientId}</a> },
  { label: "User", wide: true, render: ({ username }) => username ?? <span class="soft">–</span> },
  { label: "MQTT", wide: true, render: ({ protocol }) => protocol },
  {
    label: "Address",
    wide: true,
    render: ({ address, port, secure }) => (
      <>
        {address}
        {port !== undefined && `:${port}`} {secure && <Badge tone="ok">TLS</Badge>}
      </>
    ),
  },
  {
    label: "For",
    number: true,
    wide: true,
    sort: "connectedAt",
    render: ({ connectedAt }) => <span title={dateAndTime(connectedAt)}>{since(connectedAt, now)}</span>,
  },
  {
    label: "Subs",
    number: true,
    wide: true,
    sort: "subscriptions",
    render: ({ subscriptions }) => count(subscriptions),
  },
  { label: "Waiting", number: true, sort: "queued", render: ({ queued }) => count(queued) },
  { label: "In flight", number: true, wide: true, sort: "inflight", render: ({ inflight }) => count(inflight) },
  { label: "Lost", number: true, sort: "dropped", render: ({ dropped }) => <Lost dropped={dropped} /> },
];

export function Lost({ dropped }: { readonly dropped: number }) {
  return dropped === 0 ? <>0</> : <b class="warn">{count(dropped)}</b>;
}

export function Clients({ route: { query } }: PageProps) {
  const now = useNow(5_000);
  const [by, setBy] = useState<keyof typeof SEARCH>("contains");
  const [text, setText] = useState("");
  const searched = useSettled(text.trim());
  const asked = query["sort"];
  const sorting = useSorting<Sort>(SORTS.includes(asked ?? "") ? (asked as Sort) : "clientId", ["clientId"]);
  const paging = usePaging(JSON.stringify([by, searched, sorting.by, sorting.descending]));
  const { data, error, refresh } = useCommand(
    "clients.list",
    {
      ...(searched === "" ? {} : { [by]: searched }),
      sort: sorting.by,
      descending: sorting.descending,
      limit: SIZE,
      cursor: paging.cursor,
    },
    { every: 5_000 },
  );
  return (
    <>
      <search class="toolbar">
        <Select label="Search" value={by} change={(value) => setBy(value as keyof typeof SEARCH)} options={SEARCH} />
        <Field label="Text" type="search" value={text} change={setText} placeholder="all clients" />
        <button type="button" onClick={refresh}>
          Refresh
        </button>
      </search>
      {error !== undefined && <Failed error={error} retry={refresh} />}
      {data === undefined && error === undefined && <Loading />}
      <Incomplete members={data?.incomplete} />
      {data !== undefined && (
        <PagedTable
          title={`${count(data.matched)} connected`}
          empty={searched === "" ? "Nobody is connected." : "Nobody who is connected matches."}
          answer={data}
          paging={paging}
          size={SIZE}
          caption="Clients that are connected"
          columns={columnsAt(now)}
          rowKey={({ clientId }) => clientId}
          sorting={sorting}
        />
      )}
      <Bans />
    </>
  );
}

type Ban = Item<"clients.bans">;

function Bans() {
  const now = useNow(5_000);
  const { data, refresh } = useCommand("clients.bans", {}, { every: 10_000 });
  if (data === undefined || data.items.length === 0) return null;
  const unban = async ({ kind, value }: Ban): Promise<void> => {
    try {
      await write("clients.unban", { kind, value });
      say(`${value} may connect again.`);
    } catch (problem) {
      say(messageOf(problem));
    }
    refresh();
  };
  const columns: readonly Column<Ban>[] = [
    { label: "Whom", render: ({ value }) => <b>{value}</b> },
    { label: "Kind", render: ({ kind }) => ({ clientId: "client", username: "user", address: "address" })[kind] },
    { label: "Reason", wide: true, render: ({ reason }) => reason ?? "–" },
    { label: "Still", number: true, render: ({ until }) => duration((Date.parse(until) - now) / 1_000) },
    {
      label: "Action",
      render: (ban) => (
        <button type="button" disabled={!may("operate")} onClick={() => void unban(ban)}>
          Let in
        </button>
      ),
    },
  ];
  return (
    <Section title="Kept out">
      <Table caption="Who is kept out" columns={columns} rows={data.items} rowKey={({ kind, value }) => kind + value} />
    </Section>
  );
}
