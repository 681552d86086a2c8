// One walk through a TopicTree, step by step. level-tree.ts explains why it stays correct while the tree changes.

import { DOLLAR, HASH, PLUS, SLASH } from "../characters.ts";
import { byteString } from "./byte-string.ts";
import { LevelMap, type LevelNode } from "./level-node.ts";
import { LiteralWalk, literalAt } from "./level-tree.ts";

/** Places in the filter: the levels do not fit; everything from here on matches. */
const NO_MATCH = -2;
const EVERYTHING = -1;

export class TopicCursor<M> {
  readonly #filter: string;
  /** Where to go on, each with the index of the filter's next level there. */
  readonly #stack: (LevelNode<string, M> | LiteralWalk<string, M>)[];
  readonly #places: number[];

  /** Without a filter, the walk goes over all topics. */
  constructor(root: LevelNode<string, M>, filter: string | undefined) {
    this.#filter = byteString(filter ?? "");
    this.#stack = [root];
    this.#places = [filter === undefined ? EVERYTHING : 0];
  }

  /** Has the walk visited everything? */
  get done(): boolean {
    return this.#stack.length === 0;
  }

  /** The next node that holds a matching topic. undefined: there is none, or not among the next `looks` nodes. */
  next(looks: number = Number.POSITIVE_INFINITY): LevelNode<string, M> | undefined {
    for (let left = looks; left > 0; left--) {
      const top = this.#stack.at(-1);
      const place = this.#places.at(-1);
      if (top === undefined || place === undefined) return undefined;
      if (top instanceof LiteralWalk) {
        const child = top.next();
        if (child === undefined) {
          this.#pop();
        } else if (child.branches !== undefined) {
          this.#enter(child, place);
        } else if (child.key !== undefined && this.#endsAt(advance(this.#filter, place, child.label))) {
          // Most nodes of a large tree are leaves: there is nothing to come back to.
          return child;
        }
        continue;
      }
      this.#pop();
      this.#expand(top, place);
      if (top.key !== undefined && this.#endsAt(place)) return top;
    }
    return undefined;
  }

  /** Has the filter ended, or is only "/#" left, which stands for the level above as well? */
  #endsAt(place: number): boolean {
    if (place === NO_MATCH) return false;
    return place === EVERYTHING || place > this.#filter.length || this.#filter.charCodeAt(place) === HASH;
  }

  #pop(): void {
    this.#stack.pop();
    this.#places.pop();
  }

  #expand(node: LevelNode<string, M>, place: number): void {
    const branches = node.branches;
    if (branches?.literals === undefined || place > this.#filter.length) return;
    const unit = place === EVERYTHING ? HASH : this.#filter.charCodeAt(place);
    if (unit !== HASH && unit !== PLUS) {
      const child = literalAt(branches, this.#filter, place);
      if (child !== undefined) this.#enter(child, place);
    } else if (branches.literals instanceof LevelMap) {
      this.#stack.push(new LiteralWalk(branches, branches.literals));
      this.#places.push(place);
    } else {
      this.#enter(branches.literals, place);
    }
  }

  #enter(child: LevelNode<string, M>, place: number): void {
    const next = advance(this.#filter, place, child.label);
    if (next === NO_MATCH) return;
    this.#stack.push(child);
    this.#places.push(next);
  }
}

/** The filter's place after it has matched all levels of `label`. */
function advance(filter: string, place: number, label: string): number {
  if (place === EVERYTHING) return EVERYTHING;
  let at = place;
  let i = 0;
  for (;;) {
    const unit = filter.charCodeAt(at);
    if (at === 0 && (unit === HASH || unit === PLUS) && label.charCodeAt(0) === DOLLAR) return NO_MATCH; // [MQTT-4.7.2-1]
    if (unit === HASH) return EVERYTHING;
    if (unit === PLUS) {
      at++;
      while (i < label.length && label.charCodeAt(i) !== SLASH) i++;
    } else {
      while (i < label.length && at < filter.length) {
        const want = filter.charCodeAt(at);
        if (want === SLASH || want !== label.charCodeAt(i)) break;
        i++;
        at++;
      }
      if (i < label.length && label.charCodeAt(i) !== SLASH) return NO_MATCH;
      if (at < filter.length && filter.charCodeAt(at) !== SLASH) return NO_MATCH;
    }
    if (i >= label.length) return at + 1;
    if (at >= filter.length) return NO_MATCH;
    i++;
    at++;
  }
}
