// A member of a shared subscription whose session ends leaves messages that it has not got: they go to other members. Those
// of QoS 2 that it was sent already do not. [MQTT5 4.8.2]
import { type Delivery, type Message, OutboundState, type Session } from "@wrenmq/protocol";
import { SubscriptionTree, unsharedFilter } from "@wrenmq/topics";
import type { SessionEntry } from "./session-entry.ts";

/** A message, and the shared subscription for which its session was chosen. */
export interface Undelivered {
  readonly message: Message;
  readonly sharedFilter: string;
}

/**
 * Call it before the session's record and subscriptions are deleted: much of its queue may be in the store only.
 * @param drop called with messages for this session only
 */
export function takeUndelivered(
  { session, hasShared }: SessionEntry,
  drop: (message: Message) => void,
): readonly Undelivered[] {
  if (!hasShared) return [];
  const origins = new Origins(session);
  const found: Undelivered[] = [];
  const take = (delivery: Delivery): boolean => {
    const sharedFilter = origins.of(delivery);
    if (sharedFilter !== undefined) found.push({ message: delivery.message, sharedFilter });
    return sharedFilter !== undefined;
  };
  const { window, queue } = session;
  const taken: number[] = [];
  for (const [packetId, state, delivery] of window.entries()) {
    // [MQTT-4.8.2-5]: not those of QoS 2.
    if (state === OutboundState.AwaitPuback && delivery !== undefined && take(delivery)) taken.push(packetId);
  }
  for (const packetId of taken) window.settle(packetId);
  for (let next = queue?.shift(); next !== undefined; next = queue?.shift()) if (!take(next)) drop(next.message);
  return found;
}

/**
 * The shared subscription of a delivery. The store does not have it: then it is found among the filters that match the
 * topic.
 */
class Origins {
  readonly #session: Session;
  #tree: SubscriptionTree<string, undefined> | undefined;
  readonly #known = new Map<string, string | undefined>();

  constructor(session: Session) {
    this.#session = session;
  }

  of({ sharedFilter, message }: Delivery): string | undefined {
    if (sharedFilter !== null) return sharedFilter;
    const { topic } = message;
    if (!this.#known.has(topic)) this.#known.set(topic, this.#find(topic));
    return this.#known.get(topic);
  }

  /** An ordinary subscription of the session that matches too gets every message, so no other member waits for it. */
  #find(topic: string): string | undefined {
    this.#tree ??= treeOf(this.#session);
    let shared: string | undefined;
    let isOwn = false;
    this.#tree.match(topic, (_value, filter) => {
      if (this.#isShared(filter)) shared ??= filter;
      else isOwn = true;
    });
    return isOwn ? undefined : shared;
  }

  #isShared(filter: string): boolean {
    return unsharedFilter(filter) !== filter;
  }
}

function treeOf({ subscriptions }: Session): SubscriptionTree<string, undefined> {
  const tree = new SubscriptionTree<string, undefined>();
  for (const filter of subscriptions.keys()) tree.set(unsharedFilter(filter), filter, undefined);
  return tree;
}
