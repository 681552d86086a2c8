// Where clients connect, and when certificates end.
import type { Item } from "../api/types.ts";
import { useCommand } from "../parts/hooks.ts";
import { Badge, Empty, Failed, Incomplete, Loading, Section, type Tone } from "../parts/states.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { count, dateAndTime, duration } from "../pure/format.ts";

type Listener = Item<"listeners.list">;
type Certificate = Listener["certificates"][number];

const COLUMNS: readonly Column<Listener>[] = [
  { label: "Name", render: ({ name }) => <b>{name}</b> },
  { label: "Type", render: ({ type }) => type },
  { label: "Address", render: ({ address }) => <code>{address ?? "–"}</code> },
  { label: "Clients", number: true, render: ({ connections }) => count(connections) },
  {
    label: "At most",
    number: true,
    wide: true,
    render: ({ maxConnections }) => (maxConnections === 0 ? "no limit" : count(maxConnections)),
  },
  { label: "Plugins", wide: true, render: ({ plugins }) => plugins?.join(", ") ?? "all" },
  { label: "Certificate", render: ({ certificates }) => <Ends certificates={certificates} /> },
];

export function Listeners() {
  const { data, error, refresh } = useCommand("listeners.list", {}, { every: 5_000 });
  const withCertificates = data?.items.filter(({ certificates }) => certificates.length > 0) ?? [];
  return (
    <>
      {error !== undefined && <Failed error={error} retry={refresh} />}
      {data === undefined && error === undefined && <Loading />}
      <Incomplete members={data?.incomplete} />
      {data !== undefined && (
        <Section title="Listeners">
          {data.items.length === 0 ? (
            <Empty>
              No listener is open: nobody can connect. See <code>listeners</code> in the configuration.
            </Empty>
          ) : (
            <Table caption="Listeners" columns={COLUMNS} rows={data.items} rowKey={({ name }) => name} stacks />
          )}
        </Section>
      )}
      {withCertificates.map((listener) => (
        <Section key={listener.name} title={`Certificates of ${listener.name}`}>
          <Table
            caption={`Certificates of ${listener.name}`}
            columns={CERTIFICATE_COLUMNS}
            rows={listener.certificates}
            rowKey={({ subject, validTo }) => `${subject}${validTo}`}
          />
        </Section>
      ))}
    </>
  );
}

const CERTIFICATE_COLUMNS: readonly Column<Certificate>[] = [
  { label: "Subject", render: ({ subject, problem }) => subject ?? problem ?? "–" },
  { label: "Names", wide: true, render: ({ names }) => names ?? "–" },
  { label: "From", wide: true, render: ({ validFrom }) => (validFrom === undefined ? "–" : dateAndTime(validFrom)) },
  { label: "Ends", render: ({ validTo }) => (validTo === undefined ? "–" : dateAndTime(validTo)) },
  { label: "Left", number: true, render: (certificate) => <Left certificate={certificate} /> },
];

function Ends({ certificates }: { readonly certificates: readonly Certificate[] }) {
  const [first] = certificates.toSorted((one, other) => (one.daysLeft ?? -1) - (other.daysLeft ?? -1));
  return first === undefined ? <span class="soft">none</span> : <Left certificate={first} />;
}

function Left({ certificate: { daysLeft, problem } }: { readonly certificate: Certificate }) {
  if (daysLeft === undefined) return <Badge tone="bad">{problem === undefined ? "unknown" : "cannot be read"}</Badge>;
  if (daysLeft < 0) return <Badge tone="bad">ended</Badge>;
  const tone: Tone = daysLeft <= 7 ? "bad" : daysLeft <= 30 ? "warn" : "ok";
  return <Badge tone={tone}>{daysLeft === 0 ? "today" : duration(daysLeft * 86_400)}</Badge>;
}
