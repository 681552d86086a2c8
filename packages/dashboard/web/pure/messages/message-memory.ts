// The last messages of all topics, within a bound of memory: the oldest go first, whatever their topic.
import { type Message, weightOf } from "./message.ts";
import type { TopicNode } from "./topic-node.ts";

interface Place {
  readonly node: TopicNode;
  /** The node's count when the message came. */
  readonly number: number;
}

/** Of a message that does not fit any more, so many characters stay as the topic's last value. */
const LAST_CHARACTERS = 100;
/** Places of messages that are gone, before they are cleared away. */
const MOST_GONE = 1_000;

export class MessageMemory {
  readonly #history: number;
  readonly #memory: number;
  #used = 0;
  #messages = 0;
  /** In the order in which they came; some are gone already. */
  #places: Place[] = [];
  #first = 0;

  constructor({ history, memory }: { readonly history: number; readonly memory: number }) {
    this.#history = history;
    this.#memory = memory;
  }

  /** @param node whose count has counted the message */
  add(node: TopicNode, message: Message): void {
    node.history.push(message);
    this.#places.push({ node, number: node.count });
    this.#used += weightOf(message);
    this.#messages++;
    if (node.history.length > this.#history) this.#forgetOldestOf(node);
    while (this.#used > this.#memory && this.#first < this.#places.length) {
      const place = this.#places[this.#first++];
      if (place !== undefined && !isGone(place)) this.#forgetOldestOf(place.node);
    }
    if (this.#places.length > 2 * this.#messages + MOST_GONE) {
      this.#places = this.#places.slice(this.#first).filter((place) => !isGone(place));
      this.#first = 0;
    }
  }

  #forgetOldestOf(node: TopicNode): void {
    const message = node.history.shift();
    if (message === undefined) return;
    this.#used -= weightOf(message);
    this.#messages--;
    if (node.last === message) node.last = shortened(message);
  }
}

function isGone({ node, number }: Place): boolean {
  return number <= node.count - node.history.length;
}

function shortened(message: Message): Message {
  const { payload, contentType: _contentType, userProperties: _userProperties, ...about } = message;
  if (payload.length <= LAST_CHARACTERS) return { ...about, payload };
  // A copy: a part of a text would keep all of it in memory.
  const beginning = JSON.parse(JSON.stringify(payload.slice(0, LAST_CHARACTERS))) as string;
  return { ...about, payload: beginning, truncated: true };
}
