// The rows of a tree that are seen, and how keys move in them.
import type { TopicNode } from "./topic-node.ts";

/** @param find only topics that contain it, and all of those; empty: the branches that are open */
export function rowsOf(root: TopicNode, find: string): TopicNode[] {
  const rows: TopicNode[] = [];
  if (find === "") addOpen(root, rows);
  else addFound(root, find.toLowerCase(), rows);
  return rows;
}

function addOpen(node: TopicNode, rows: TopicNode[]): void {
  for (const child of node.children) {
    rows.push(child);
    if (child.isOpen) addOpen(child, rows);
  }
}

/** @returns is anything below the node found? */
function addFound(node: TopicNode, find: string, rows: TopicNode[]): boolean {
  const before = rows.length;
  for (const child of node.children) {
    const place = rows.length;
    rows.push(child);
    const isFound = addFound(child, find, rows) || (child.count > 0 && child.path.toLowerCase().includes(find));
    if (!isFound) rows.length = place;
  }
  return rows.length > before;
}

/** Where a key leads, as in any tree. @returns undefined: the key means nothing here */
export function moved(rows: readonly TopicNode[], from: TopicNode | undefined, key: string): TopicNode | undefined {
  const index = from === undefined ? -1 : rows.indexOf(from);
  const at = (place: number): TopicNode | undefined => rows[Math.max(0, Math.min(rows.length - 1, place))];
  switch (key) {
    case "ArrowDown":
      return at(index + 1);
    case "ArrowUp":
      return at(index - 1);
    case "PageDown":
      return at(index + PAGE);
    case "PageUp":
      return at(index - PAGE);
    case "Home":
      return at(0);
    case "End":
      return at(rows.length - 1);
    case "ArrowRight":
      if (from === undefined || from.children.length === 0) return from;
      if (from.isOpen) return at(index + 1);
      from.isOpen = true;
      return from;
    case "ArrowLeft":
      if (from === undefined) return undefined;
      if (!from.isOpen || from.children.length === 0) return from.depth === 0 ? from : from.parent;
      from.isOpen = false;
      return from;
    default:
      return undefined;
  }
}

const PAGE = 15;
