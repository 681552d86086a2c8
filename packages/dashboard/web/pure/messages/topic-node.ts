// A level of topics: a branch, a topic, or both.
import type { Message } from "./message.ts";

const collator = new Intl.Collator("en", { numeric: true });

export class TopicNode {
  readonly name: string;
  /** The topic that ends here. */
  readonly path: string;
  readonly depth: number;
  readonly parent: TopicNode | undefined;
  /** By name. */
  readonly children: TopicNode[] = [];
  readonly #byName = new Map<string, TopicNode>();
  isOpen: boolean;
  /** With a message, here and below. */
  topics = 0;
  /** Messages that came, here and below. */
  messages = 0;
  /** Messages of this topic. */
  count = 0;
  last: Message | undefined = undefined;
  /** Its last messages, the oldest first. */
  readonly history: Message[] = [];
  /** Has it a retained message? */
  isRetained = false;

  constructor(name: string, parent: TopicNode | undefined, isOpen: boolean) {
    this.name = name;
    this.parent = parent;
    this.depth = parent === undefined ? -1 : parent.depth + 1;
    this.path = parent === undefined || parent.depth < 0 ? name : `${parent.path}/${name}`;
    this.isOpen = isOpen;
  }

  child(name: string): TopicNode | undefined {
    return this.#byName.get(name);
  }

  addChild(name: string, isOpen: boolean): TopicNode {
    const node = new TopicNode(name, this, isOpen);
    this.#byName.set(name, node);
    let [low, high] = [0, this.children.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.children[middle]?.name ?? "";
      // Names that are equal to the collator are in the order of their characters.
      if ((collator.compare(other, name) || (other < name ? -1 : 1)) < 0) low = middle + 1;
      else high = middle;
    }
    this.children.splice(low, 0, node);
    return node;
  }
}
