// The topics of which messages came, as a tree, with the last messages of each. It is bounded whatever clients send:
// what does not fit is counted.
import type { Message } from "./message.ts";
import { MessageMemory } from "./message-memory.ts";
import { TopicNode } from "./topic-node.ts";

export interface TreeBounds {
  readonly topics: number;
  /** Levels of all topics. */
  readonly nodes: number;
  /** Characters of the names of all topics. */
  readonly names: number;
  /** Messages that are kept of a topic. */
  readonly history: number;
  /** Characters of all messages that are kept. */
  readonly memory: number;
}

export const BOUNDS: TreeBounds = {
  topics: 20_000,
  nodes: 100_000,
  names: 4_194_304,
  history: 100,
  memory: 25_165_824,
};

/** What is below so many levels is one level. */
const MOST_LEVELS = 50;
/** Branches begin open while there are few topics. */
const OPEN_UNTIL = 100;

export class TopicTree {
  readonly root: TopicNode = new TopicNode("", undefined, true);
  /** Messages of topics that are not in the tree: it is full. */
  leftOut = 0;
  readonly #bounds: TreeBounds;
  #nodes = 0;
  #names = 0;
  readonly #memory: MessageMemory;

  constructor(bounds: TreeBounds = BOUNDS) {
    this.#bounds = bounds;
    this.#memory = new MessageMemory(bounds);
  }

  add(message: Message): void {
    const node = this.#nodeOf(message.topic);
    if (node === undefined) {
      this.leftOut++;
      return;
    }
    // Who begins to watch again is told of the retained messages again.
    if (message.retained === true && node.last?.payload === message.payload && node.isRetained) return;
    if (message.retain || message.retained === true) node.isRetained = message.bytes > 0;
    const isNew = node.count === 0;
    node.count++;
    for (let one: TopicNode | undefined = node; one !== undefined; one = one.parent) {
      one.messages++;
      if (isNew) one.topics++;
    }
    node.last = message;
    this.#memory.add(node, message);
  }

  find(topic: string): TopicNode | undefined {
    let node: TopicNode | undefined = this.root;
    for (const level of levelsOf(topic)) node = node?.child(level);
    return node;
  }

  setOpen(isOpen: boolean): void {
    const visit = (node: TopicNode): void => {
      node.isOpen = isOpen;
      for (const child of node.children) visit(child);
    };
    for (const node of this.root.children) visit(node);
  }

  /** undefined: there is no room for it */
  #nodeOf(topic: string): TopicNode | undefined {
    const levels = levelsOf(topic);
    let node = this.root;
    let known = 0;
    for (let next = node.child(levels[0] ?? ""); next !== undefined; next = node.child(levels[known] ?? "")) {
      node = next;
      known++;
      if (known === levels.length) break;
    }
    const { topics, nodes, names } = this.#bounds;
    if (node.count > 0 && known === levels.length) return node;
    const isFull =
      this.root.topics >= topics || this.#nodes + levels.length - known > nodes || this.#names + topic.length > names;
    if (isFull) return undefined;
    const isOpen = this.root.topics < OPEN_UNTIL;
    for (const level of levels.slice(known)) node = node.addChild(level, isOpen);
    this.#nodes += levels.length - known;
    this.#names += topic.length;
    return node;
  }
}

function levelsOf(topic: string): string[] {
  const levels = topic.split("/");
  return levels.length <= MOST_LEVELS
    ? levels
    : [...levels.slice(0, MOST_LEVELS - 1), levels.slice(MOST_LEVELS - 1).join("/")];
}
