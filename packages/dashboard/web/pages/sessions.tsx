// All sessions, those without a connection among them: who waits longest, whose queue is the biggest.
import { useState } from "preact/hooks";
import { may } from "../api/session.ts";
import type { Input, Item } from "../api/types.ts";
import { Choice, Field, Select } from "../parts/field.tsx";
import { useCommand, useNow, useSettled } from "../parts/hooks.ts";
import { PagedTable } from "../parts/paged-table.tsx";
import { usePaging, useSorting } from "../parts/paging.ts";
import { Badge, Failed, Incomplete, Loading } from "../parts/states.tsx";
import type { Column } from "../parts/table.tsx";
import { expiresIn } from "../pure/expiry.ts";
import { bytes, count, dateAndTime, duration, since } from "../pure/format.ts";
import { hrefOf, type PageProps } from "../pure/route.ts";
import { EndDialog, KickDialog } from "./client/actions.tsx";
import { Lost, SEARCH } from "./clients.tsx";

type Session = Item<"sessions.list">;
type Asked = Input<"sessions.list">;
type Sort = NonNullable<Asked["sort"]>;

const SIZE = 50;
const { listener: _listener, ...SEARCH_SESSIONS } = SEARCH;
/** Whose usual order is ascending; of times the longest ago comes first. */
const ASCENDING = ["clientId", "disconnectedAt", "oldest"];

const VIEWS = {
  all: { title: "All", sort: "clientId", only: {} },
  queues: { title: "Biggest queues", sort: "queued", only: { minQueued: 1 } },
  waiting: { title: "Waiting longest", sort: "oldest", only: { minQueued: 1 } },
  away: { title: "Away longest", sort: "disconnectedAt", only: { connected: false } },
} as const satisfies Readonly<Record<string, { title: string; sort: Sort; only: Partial<Asked> }>>;
type View = keyof typeof VIEWS;
const TITLES = Object.fromEntries(Object.entries(VIEWS).map(([name, { title }]) => [name, title])) as Record<
  View,
  string
>;
const NOBODY: Readonly<Record<View, string>> = {
  all: "There are no sessions.",
  queues: "No message waits for anybody.",
  waiting: "No message waits for anybody.",
  away: "Every client that has a session is connected.",
};

export function Sessions({ route: { query } }: PageProps) {
  const now = useNow(5_000);
  const asked = query["view"] ?? "";
  const [view, setView] = useState<View>(Object.hasOwn(VIEWS, asked) ? (asked as View) : "all");
  const [by, setBy] = useState<keyof typeof SEARCH_SESSIONS>("contains");
  const [text, setText] = useState("");
  const searched = useSettled(text.trim());
  const sorting = useSorting<Sort>(VIEWS[view].sort, ASCENDING);
  const filter = { ...VIEWS[view].only, ...(searched === "" ? {} : { [by]: searched }) };
  const paging = usePaging(JSON.stringify([filter, sorting.by, sorting.descending]));
  const order = { sort: sorting.by, descending: sorting.descending, limit: SIZE, cursor: paging.cursor };
  const { data, error, refresh } = useCommand("sessions.list", { ...filter, ...order }, { every: 5_000 });
  const [chosen, setChosen] = useState<Session>();
  const choose = (next: View): void => {
    setView(next);
    sorting.begin(VIEWS[next].sort);
    history.replaceState(null, "", hrefOf("sessions", undefined, next === "all" ? {} : { view: next }));
  };
  return (
    <>
      <search class="toolbar">
        <Choice label="Which" options={TITLES} value={view} change={choose} />
        <Select label="Search" value={by} change={(value) => setBy(value as typeof by)} options={SEARCH_SESSIONS} />
        <Field label="Text" type="search" value={text} change={setText} placeholder="all sessions" />
      </search>
      {error !== undefined && <Failed error={error} retry={refresh} />}
      {data === undefined && error === undefined && <Loading />}
      {data !== undefined && (
        <>
          <Incomplete members={data.incomplete} />
          <PagedTable
            title={`${count(data.matched)} ${data.matched === 1 ? "session" : "sessions"}`}
            empty={searched === "" ? NOBODY[view] : "No session matches."}
            answer={data}
            paging={paging}
            size={SIZE}
            caption="Sessions"
            columns={columnsOf(now, setChosen)}
            rowKey={({ clientId }) => clientId}
            sorting={sorting}
          />
        </>
      )}
      {chosen !== undefined && (
        <Dialog
          session={chosen}
          close={() => {
            setChosen(undefined);
            refresh();
          }}
        />
      )}
    </>
  );
}

function Dialog({ session, close }: { readonly session: Session; readonly close: () => void }) {
  return session.connected ? (
    <KickDialog details={session} close={close} />
  ) : (
    <EndDialog details={session} close={close} />
  );
}

const columnsOf = (now: number, choose: (session: Session) => void): readonly Column<Session>[] => [
  {
    label: "Client",
    sort: "clientId",
    render: ({ clientId, username }) => (
      <span class="two-lines">
        <a href={hrefOf("clients", clientId)}>{clientId}</a>
        {username !== undefined && <small class="soft">{username}</small>}
      </span>
    ),
  },
  { label: "State", sort: "disconnectedAt", wide: true, render: (session) => <State session={session} now={now} /> },
  {
    label: "Ends in",
    number: true,
    wide: true,
    render: (session) => {
      const left = expiresIn(session, now);
      return left === undefined ? <span class="soft">–</span> : duration(left);
    },
  },
  {
    label: "Subs",
    number: true,
    wide: true,
    sort: "subscriptions",
    render: ({ subscriptions }) => count(subscriptions),
  },
  { label: "Waiting", number: true, sort: "queued", render: ({ queued }) => count(queued) },
  {
    label: "Size",
    number: true,
    wide: true,
    sort: "queuedBytes",
    render: ({ queued, queuedBytes }) => (queued === 0 ? <span class="soft">–</span> : bytes(queuedBytes)),
  },
  {
    label: "Oldest",
    number: true,
    sort: "oldest",
    render: ({ oldestSeconds }) =>
      oldestSeconds === undefined ? <span class="soft">–</span> : duration(oldestSeconds),
  },
  { label: "In flight", number: true, wide: true, sort: "inflight", render: ({ inflight }) => count(inflight) },
  { label: "Lost", number: true, wide: true, sort: "dropped", render: ({ dropped }) => <Lost dropped={dropped} /> },
  {
    label: "Action",
    render: (session) => (
      <button
        type="button"
        class={session.connected ? "" : "danger"}
        aria-label={`${session.connected ? "Kick" : "End the session of"} ${session.clientId}`}
        disabled={!may(session.connected ? "operate" : "admin")}
        onClick={() => choose(session)}
      >
        {session.connected ? "Kick" : "End"}
      </button>
    ),
  },
];

function State({ session: { connected, disconnectedAt }, now }: { readonly session: Session; readonly now: number }) {
  if (connected) return <Badge tone="ok">connected</Badge>;
  return (
    <span title={disconnectedAt === undefined ? "" : dateAndTime(disconnectedAt)}>
      <Badge>away</Badge> {since(disconnectedAt, now)}
    </span>
  );
}
