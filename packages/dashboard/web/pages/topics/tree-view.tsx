// The tree itself: one row for each level, of which only those that are seen are in the page.
import { VirtualTree } from "../../parts/live/virtual-tree.tsx";
import { counted, short } from "../../pure/format.ts";
import { preview, printable } from "../../pure/messages/payload.ts";
import type { TopicNode } from "../../pure/messages/topic-node.ts";
import { moved } from "../../pure/messages/tree-rows.ts";

interface TreeViewProps {
  readonly rows: readonly TopicNode[];
  readonly selected: TopicNode | undefined;
  readonly select: (node: TopicNode) => void;
  readonly changed: () => void;
}

const ROW = 28;
/** Pixels by which a level is further in, and levels that are. */
const INDENT = 14;
const MOST_INDENTS = 12;

export function TreeView({ rows, selected, select, changed }: TreeViewProps) {
  const index = selected === undefined ? -1 : rows.indexOf(selected);
  const press = (node: TopicNode): void => {
    if (node === selected || node.count === 0) node.isOpen = !node.isOpen;
    select(node);
    changed();
  };
  const onKey = (key: string): boolean => {
    const next = key === "Enter" || key === " " ? selected : moved(rows, selected, key);
    if (next === undefined) return false;
    if (key === "Enter" || key === " ") next.isOpen = !next.isOpen;
    select(next);
    changed();
    return true;
  };
  return (
    <VirtualTree
      label="Tree of topics"
      count={rows.length}
      rowHeight={ROW}
      active={selected === undefined || index < 0 ? undefined : { index, id: idOf(selected) }}
      onKey={onKey}
      row={(place) => {
        const node = rows[place];
        return node && <Row key={node.path} node={node} isSelected={node === selected} press={press} />;
      }}
    />
  );
}

const idOf = ({ path }: TopicNode): string => `topic ${path}`.replaceAll(/\s/g, "_");

interface RowProps {
  readonly node: TopicNode;
  readonly isSelected: boolean;
  readonly press: (node: TopicNode) => void;
}

function Row({ node, isSelected, press }: RowProps) {
  const { name, path, depth, children, isOpen, last, count, messages, topics, isRetained } = node;
  const isBranch = children.length > 0;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the focus and the keys
    <div
      id={idOf(node)}
      class={`twig ${isSelected ? "selected" : ""}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-selected={isSelected}
      {...(isBranch ? { "aria-expanded": isOpen } : {})}
      style={{ paddingLeft: `${8 + Math.min(depth, MOST_INDENTS) * INDENT}px` }}
      title={path}
      onClick={() => press(node)}
    >
      <i class="twist" aria-hidden="true">
        {isBranch ? (isOpen ? "▾" : "▸") : ""}
      </i>
      <b>{name === "" ? "(empty)" : printable(name)}</b>
      {isRetained && (
        <i class="mark" title="There is a retained message">
          R
        </i>
      )}
      <code>{last === undefined ? "" : preview(last)}</code>
      <span class="soft">
        {isBranch && !isOpen ? `${counted(topics, "topic")}, ${short(messages)}` : count > 0 && short(count)}
      </span>
    </div>
  );
}
