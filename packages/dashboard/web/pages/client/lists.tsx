// Lists about a client: its subscriptions, what is in flight, what it has lost and why.

import type { ClientDetails } from "../../api/types.ts";
import { Badge, Empty, Section } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { clock, count } from "../../pure/format.ts";
import { dropReason } from "../../pure/reasons.ts";
import { hrefOf } from "../../pure/route.ts";

type Subscription = ClientDetails["subscriptionList"][number];
type Message = ClientDetails["inflightMessages"][number];
type Drop = ClientDetails["lastDrops"][number];

const SUBSCRIPTION_COLUMNS: readonly Column<Subscription>[] = [
  {
    label: "Topic filter",
    render: ({ filter }) => (
      <a class="break" href={hrefOf("topics", undefined, { filter: unshared(filter) })} title="Watch its messages">
        <code>{filter}</code>
      </a>
    ),
  },
  { label: "QoS", number: true, render: ({ qos }) => qos },
];

/** `$share/group/filter` → `filter` */
const unshared = (filter: string): string => filter.replace(/^\$share\/[^/]*\//, "");

export function Subscriptions({ details: { subscriptionList, subscriptions } }: { readonly details: ClientDetails }) {
  const more = (subscriptions ?? 0) - subscriptionList.length;
  return (
    <Section title="Subscriptions">
      {subscriptionList.length === 0 ? (
        <Empty>It has none: it gets no messages.</Empty>
      ) : (
        <Table
          caption="Subscriptions"
          columns={SUBSCRIPTION_COLUMNS}
          rows={subscriptionList}
          rowKey={({ filter }) => filter}
        />
      )}
      {more > 0 && <p class="note soft">and {count(more)} more</p>}
    </Section>
  );
}

const MESSAGE_COLUMNS: readonly Column<Message>[] = [
  { label: "Packet", number: true, render: ({ packetId }) => packetId },
  { label: "Waits for", render: ({ awaits }) => awaits.toUpperCase() },
  { label: "Topic", render: ({ topic }) => <code class="break">{topic ?? "–"}</code> },
];

export function Inflight({ details: { inflightMessages } }: { readonly details: ClientDetails }) {
  return (
    <Section title="In flight">
      {inflightMessages.length === 0 ? (
        <Empty>Everything that was sent is acknowledged.</Empty>
      ) : (
        <Table
          caption="Messages in flight"
          columns={MESSAGE_COLUMNS}
          rows={inflightMessages}
          rowKey={({ packetId }) => String(packetId)}
        />
      )}
    </Section>
  );
}

const DROP_COLUMNS: readonly Column<Drop>[] = [
  { label: "At", render: ({ at }) => <time>{clock(Date.parse(at))}</time> },
  { label: "Topic", render: ({ topic }) => <code class="break">{topic}</code> },
  { label: "Why", render: ({ reason }) => dropReason(reason) },
  { label: "Side", wide: true, render: ({ side }) => side },
];

export function Drops({ details: { lastDrops, droppedByReason } }: { readonly details: ClientDetails }) {
  const reasons = Object.entries(droppedByReason).filter(([, number]) => number > 0);
  return (
    <Section
      title="Lost messages"
      aside={reasons.map(([reason, number]) => (
        <Badge key={reason} tone="warn">
          {count(number)} {reason}
        </Badge>
      ))}
    >
      {reasons.length === 0 && lastDrops.length === 0 ? (
        <Empty>None since the broker started.</Empty>
      ) : (
        <Table
          caption="The last messages that were lost"
          columns={DROP_COLUMNS}
          rows={lastDrops.toReversed()}
          rowKey={({ at, topic, reason }) => at + topic + reason}
        />
      )}
    </Section>
  );
}
