// The plugins in the order in which they are asked, where they decide, and how they do.
import type { Answer, Item } from "../api/types.ts";
import { useCommand, useNow } from "../parts/hooks.ts";
import { Badge, Empty, Failed, Incomplete, Loading, Section } from "../parts/states.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { isIll } from "../pure/findings.ts";
import { count, dateAndTime, since } from "../pure/format.ts";
import { hrefOf } from "../pure/route.ts";

type Plugin = Item<"plugins.list">;
type Listeners = Answer<"listeners.list">["items"];

const columnsAt = (now: number, listeners: Listeners | undefined): readonly Column<Plugin>[] => [
  { label: "Name", render: ({ name }) => <b>{name}</b> },
  { label: "State", render: (plugin) => <State plugin={plugin} now={now} /> },
  { label: "Where", wide: true, render: (plugin) => (plugin.decides ? where(plugin.name, listeners) : "everywhere") },
  {
    label: "Hooks",
    wide: true,
    render: ({ hooks }) => (
      <span class="badges">
        {hooks.map((hook) => (
          <Badge key={hook}>{hook}</Badge>
        ))}
      </span>
    ),
  },
  {
    label: "Failures",
    number: true,
    render: ({ failures }) => (failures === 0 ? "0" : <b class="warn">{count(failures)}</b>),
  },
];

/** Who decides at a listener can be set there. */
function where(name: string, listeners: Listeners | undefined): string {
  if (listeners === undefined) return "–";
  const asked = listeners.filter(({ plugins }) => plugins === undefined || plugins.includes(name));
  if (asked.length === listeners.length) return "all listeners";
  return asked.length === 0 ? "no listener" : asked.map((listener) => listener.name).join(", ");
}

function State({ plugin, now }: { readonly plugin: Plugin; readonly now: number }) {
  if (isIll(plugin, now)) return <Badge tone="bad">has failed</Badge>;
  return <Badge tone="ok">{plugin.decides ? "decides" : "watches"}</Badge>;
}

export function Plugins() {
  const now = useNow(5_000);
  const { data, error, refresh } = useCommand("plugins.list", {}, { every: 5_000 });
  const listeners = useCommand("listeners.list", {}, { every: 30_000 });
  const failed = data?.items.filter(({ lastFailure }) => lastFailure !== undefined) ?? [];
  return (
    <>
      {error !== undefined && <Failed error={error} retry={refresh} />}
      {data === undefined && error === undefined && <Loading />}
      {data !== undefined && (
        <>
          <Incomplete members={data.incomplete} />
          <Section title="Plugins, in the order in which they are asked">
            {data.items.length === 0 ? (
              <Empty>
                There are none, so nobody may connect. See <code>plugins</code> in the configuration.
              </Empty>
            ) : (
              <Table
                caption="Plugins"
                columns={columnsAt(now, listeners.data?.items)}
                rows={data.items}
                rowKey={({ name }) => name}
              />
            )}
          </Section>
          {failed.length > 0 && (
            <Section title="Last failures">
              <Table
                caption="The last failure of each plugin"
                columns={FAILURE_COLUMNS}
                rows={failed}
                rowKey={({ name }) => name}
              />
            </Section>
          )}
          <p class="soft">
            A client gets in, and a message through, when at least one plugin allows it and none refuses it. A hook that
            fails refuses.{" "}
            {data.hookFailures > 0 && `${count(data.hookFailures)} calls of hooks have failed since the start. `}
            <a href={hrefOf("explain", undefined, { ask: "client" })}>Ask what they say about a client</a>
          </p>
        </>
      )}
    </>
  );
}

const FAILURE_COLUMNS: readonly Column<Plugin>[] = [
  { label: "Plugin", render: ({ name }) => <b>{name}</b> },
  {
    label: "Ago",
    number: true,
    render: ({ lastFailureAt }) => (
      <span title={lastFailureAt === undefined ? "" : dateAndTime(lastFailureAt)}>
        {since(lastFailureAt, Date.now())}
      </span>
    ),
  },
  { label: "Hook and message", render: ({ lastFailure }) => <code class="break">{lastFailure}</code> },
];
