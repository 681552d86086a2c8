// What each plugin says, with its rule.
import type { Answer } from "../../api/types.ts";
import { Badge, Empty } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";

type Opinion = Answer<"explain">["opinions"][number];

const DECISIONS = {
  allow: ["ok", "allows"],
  deny: ["bad", "refuses"],
  abstain: ["quiet", "says nothing"],
} as const;

const COLUMNS: readonly Column<Opinion>[] = [
  { label: "Plugin", render: ({ plugin }) => <b>{plugin}</b> },
  {
    label: "Says",
    render: ({ decision }) => <Badge tone={DECISIONS[decision][0]}>{DECISIONS[decision][1]}</Badge>,
  },
  { label: "Rule", render: ({ rule }) => (rule === undefined ? "–" : <code class="break">{rule}</code>) },
];

export function Opinions({ opinions }: { readonly opinions: readonly Opinion[] }) {
  if (opinions.length === 0) return <Empty>No plugin decides about this: every client that is let in may do it.</Empty>;
  return (
    <Table
      caption="What each plugin says"
      columns={COLUMNS}
      rows={opinions}
      rowKey={({ plugin, rule, decision }) => `${plugin} ${decision} ${rule}`}
    />
  );
}
