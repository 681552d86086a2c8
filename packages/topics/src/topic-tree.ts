import { InvalidTopicError } from "./invalid-topic-error.ts";
import { isTopicName } from "./topic-name.ts";
import { byteString, byteStringOf, textOf } from "./tree/byte-string.ts";
import { LevelNode } from "./tree/level-node.ts";
import { ensureNode, ensureNodeOfName, findNode, prune } from "./tree/level-tree.ts";
import { TopicCursor } from "./tree/topic-cursor.ts";

/** Key of the topics whose names are asked of their messages. */
const NAMED_BY_MESSAGE = "";

/** Which of the stored topics does a filter match? One message (or whatever M is) for each topic name. */
export class TopicTree<M> {
  /** Key is the whole topic name: most likely the very string that the message holds. */
  readonly #root: LevelNode<string, M> = new LevelNode("");
  readonly #nameOf: ((message: M) => string) | undefined;
  #size = 0;

  /**
   * @param nameOf returns the topic of a message, so that the tree need not store a string for each. Default: it stores
   * one
   */
  constructor(nameOf?: (message: M) => string) {
    this.#nameOf = nameOf;
  }

  /** The number of topics. */
  get size(): number {
    return this.#size;
  }

  /** Returns the message that was there. @throws InvalidTopicError ERR_INVALID_TOPIC_NAME (section 4.7) */
  set(topic: string, message: M): M | undefined {
    if (!isTopicName(topic)) throw new InvalidTopicError("name", topic);
    return this.#put(ensureNode(this.#root, byteString(topic)), message, topic);
  }

  /**
   * Like `set`, for a valid topic name that is there in UTF-8, from `start` to `end`: no string is made of it, in a tree
   * that has a `nameOf`. Returns the message that was there.
   */
  setBytes(name: Uint8Array, start: number, end: number, message: M): M | undefined {
    const node = ensureNodeOfName(this.#root, name, start, end);
    const topic = this.#nameOf === undefined ? textOf(byteStringOf(name, start, end)) : NAMED_BY_MESSAGE;
    return this.#put(node, message, topic);
  }

  #put(node: LevelNode<string, M>, message: M, topic: string): M | undefined {
    const previous = node.value;
    if (node.key === undefined) this.#size++;
    node.key = this.#nameOf === undefined ? topic : NAMED_BY_MESSAGE;
    node.value = message;
    return previous;
  }

  #topicOf(node: LevelNode<string, M>): string {
    return this.#nameOf === undefined ? (node.key as string) : this.#nameOf(node.value as M);
  }

  get(topic: string): M | undefined {
    return findNode(this.#root, byteString(topic))?.value;
  }

  /** Returns the message that was there. */
  delete(topic: string): M | undefined {
    const trail: LevelNode<string, M>[] = [];
    const node = findNode(this.#root, byteString(topic), trail);
    if (node?.key === undefined) return undefined;
    const previous = node.value;
    node.key = undefined;
    node.value = undefined;
    prune(trail, node);
    this.#size--;
    return previous;
  }

  /** Calls `visit` for each topic that the (valid, plain) filter matches; it may change the tree, see `matching`. */
  match(filter: string, visit: (message: M, topic: string) => void): void {
    const cursor = new TopicCursor(this.#root, filter);
    for (let node = cursor.next(); node !== undefined; node = cursor.next()) {
      if (node.key !== undefined) visit(node.value as M, this.#topicOf(node));
    }
  }

  /**
   * The topics that the (valid, plain) filter matches, in no particular order, found as they are asked for: a long
   * answer can be read in pieces while the tree changes. Topics that stay are given exactly once, with the message
   * they have at that time; topics added or deleted meanwhile may or may not be given.
   */
  *matching(filter: string): IterableIterator<[topic: string, message: M]> {
    const cursor = new TopicCursor(this.#root, filter);
    for (let node = cursor.next(); node !== undefined; node = cursor.next()) {
      if (node.key !== undefined) yield [this.#topicOf(node), node.value as M];
    }
  }

  /** Like `matching`, one message for each call of `next` and nothing allocated for it; see `TopicWalk`. */
  walk(filter: string): TopicWalk<M> {
    return new TopicWalk(new TopicCursor(this.#root, filter));
  }

  /** All topics, those that begin with "$" included; otherwise like `matching`. */
  *entries(): IterableIterator<[topic: string, message: M]> {
    const cursor = new TopicCursor(this.#root, undefined);
    for (let node = cursor.next(); node !== undefined; node = cursor.next()) {
      if (node.key !== undefined) yield [this.#topicOf(node), node.value as M];
    }
  }
}

/**
 * A walk over the messages that a filter matches, which can be left off anywhere: also where nothing matches for long.
 * See `TopicTree.walk`.
 */
export class TopicWalk<M> {
  readonly #cursor: TopicCursor<M>;

  constructor(cursor: TopicCursor<M>) {
    this.#cursor = cursor;
  }

  /** Has the walk visited everything? */
  get done(): boolean {
    return this.#cursor.done;
  }

  /** undefined: none of the next `looks` places in the tree has one; there may be more unless the walk is `done`. */
  next(looks?: number): M | undefined {
    return this.#cursor.next(looks)?.value;
  }
}
