// Who gets the messages of a topic: found out once, kept with the topic until a subscription that matters changes.
import type { Peer } from "@wrenmq/cluster";
import type { SubscriptionRecord, Topic, TopicTable } from "@wrenmq/protocol";
import { parseShared, type SharedFilter, SubscriptionTree } from "@wrenmq/topics";
import type { SessionEntry } from "../sessions/session-entry.ts";
import { Recipient } from "./recipient.ts";
import { SharedGroup, type ShareStrategy } from "./shared-groups.ts";

export class Route {
  readonly recipients: readonly Recipient[];
  readonly groups: readonly SharedGroup[];
  readonly stamp: number;
  readonly tableGeneration: number;
  /** Other brokers whose subscribers want the topic's messages. */
  readonly peers: readonly Peer[] | undefined;
  /** Made of so many overlapping subscriptions that it is not to be kept. */
  readonly isBulky: boolean;
  /** How members of the groups get this topic, with the access rules' verdicts. */
  #checked: Map<Recipient, Recipient> | undefined = undefined;

  constructor(
    recipients: readonly Recipient[],
    groups: readonly SharedGroup[],
    stamp: number,
    tableGeneration: number,
    peers?: readonly Peer[],
    isBulky: boolean = false,
  ) {
    this.recipients = recipients;
    this.groups = groups;
    this.stamp = stamp;
    this.tableGeneration = tableGeneration;
    this.peers = peers;
    this.isBulky = isBulky;
  }

  /** A group's member stands for all topics of its filter, the access rules' verdict for one: it is kept here. */
  checked(member: Recipient): Recipient {
    this.#checked ??= new Map();
    let recipient = this.#checked.get(member);
    if (recipient === undefined) {
      recipient = member.withoutVerdict();
      this.#checked.set(member, recipient);
    }
    return recipient;
  }
}

/** Subscriptions that match a topic besides those of other sessions: nobody needs as many, and a table full of them is large. */
const MANY_OVERLAPS = 1_000;

/** A session that ends with so few subscriptions leaves at once: only routes that it was in are made again. */
const FEW = 64;
/** Subscriptions that may wait to be taken out: who makes sessions faster than that does not fill the memory. */
const MOST_LEAVING = 1_000_000;

/** Called when local sessions subscribe and unsubscribe. */
export interface RouteWatcher {
  added(entry: SessionEntry, filter: string): void;
  removed(entry: SessionEntry, filter: string): void;
}

/** Stands for all subscribers of a peer. */
class PeerKey {
  readonly peer: Peer;
  constructor(peer: Peer) {
    this.peer = peer;
  }
}

export class RouteTable {
  readonly #tree = new SubscriptionTree<
    SessionEntry | SharedGroup | PeerKey,
    SubscriptionRecord | SharedGroup | PeerKey
  >();
  readonly #peers = new Map<Peer, PeerKey>();
  /** Given when other brokers act as one with this one. */
  watcher: RouteWatcher | undefined = undefined;
  readonly #groups = new Map<string, SharedGroup>();
  readonly #topics: TopicTable;
  readonly #strategy: ShareStrategy;
  /** Grows with each change that may concern more than one topic. */
  #stamp = 0;
  #absentClient = new Route([], [], -1, -1);
  /** Subscriptions of all sessions. */
  size: number = 0;
  /** Those of sessions that have ended and are still to be taken out. */
  #leaving = 0;

  constructor(topics: TopicTable, strategy: ShareStrategy) {
    this.#topics = topics;
    this.#strategy = strategy;
  }

  /** @returns is it a subscription that the session did not have? */
  add(entry: SessionEntry, filter: string, record: SubscriptionRecord): boolean {
    const shared = sharedOf(filter);
    const isNew =
      shared === undefined
        ? this.#tree.set(filter, entry, record) === undefined
        : this.#group(filter, shared.filter).set(new Recipient(entry, [record]));
    this.#changed(shared?.filter ?? filter);
    if (!isNew) return false;
    this.size++;
    this.watcher?.added(entry, filter);
    return true;
  }

  remove(entry: SessionEntry, filter: string): void {
    const shared = sharedOf(filter);
    if (!this.#delete(entry, filter, shared)) return;
    this.size--;
    this.#changed(shared?.filter ?? filter);
    this.watcher?.removed(entry, filter);
  }

  /**
   * The session has ended: from now on no message finds it.
   * @returns steps by which its subscriptions, which are many, are taken out; undefined: they are out
   */
  removeAll(entry: SessionEntry): Iterator<void> | undefined {
    const { subscriptions } = entry.session;
    const { size } = subscriptions;
    if (size <= FEW || this.#leaving + size > MOST_LEAVING) {
      for (const filter of subscriptions.keys()) this.remove(entry, filter);
      return undefined;
    }
    this.#stamp++;
    this.size -= size;
    this.#leaving += size;
    return this.#leave(entry, subscriptions.keys());
  }

  /** Routes are made without sessions that have ended already: they need not be made again. */
  *#leave(entry: SessionEntry, filters: Iterable<string>): IterableIterator<void> {
    for (const filter of filters) {
      if (this.#delete(entry, filter, sharedOf(filter))) this.watcher?.removed(entry, filter);
      this.#leaving--;
      yield;
    }
  }

  #delete(entry: SessionEntry, filter: string, shared: SharedFilter | undefined): boolean {
    if (shared === undefined) return this.#tree.delete(filter, entry) !== undefined;
    const group = this.#groups.get(filter);
    if (group?.delete(entry) !== true) return false;
    this.#dropIfEmpty(group, shared.filter);
    return true;
  }

  /** A shared subscription, by the filter that its members subscribed to. */
  group(filter: string): SharedGroup | undefined {
    return this.#groups.get(filter);
  }

  addPeer(peer: Peer, filter: string): void {
    const key = this.#peers.get(peer) ?? new PeerKey(peer);
    this.#peers.set(peer, key);
    this.#tree.set(filter, key, key);
    this.#changed(filter);
  }

  removePeer(peer: Peer, filter: string): void {
    const key = this.#peers.get(peer);
    if (key === undefined || this.#tree.delete(filter, key) === undefined) return;
    this.#changed(filter);
  }

  setPeerGroup(peer: Peer, filter: string, connected: number, members: number): void {
    const shared = sharedOf(filter);
    if (shared === undefined) return;
    const group = this.#group(filter, shared.filter);
    group.setElsewhere(peer, connected, members);
    this.#dropIfEmpty(group, shared.filter);
    this.#changed(shared.filter);
  }

  #dropIfEmpty(group: SharedGroup, plain: string): void {
    if (!group.isEmpty) return;
    this.#groups.delete(group.filter);
    this.#tree.delete(plain, group);
  }

  find(topic: Topic): Route {
    const known = topic.route as Route | undefined;
    if (known !== undefined && known.stamp === this.#stamp && known.tableGeneration === this.#topics.generation) {
      return known;
    }
    const route = this.#match(topic.name);
    if (!route.isBulky) topic.route = route;
    return route;
  }

  /** Who gets the messages of a topic now, without remembering it: for questions about topics that perhaps nobody uses. */
  lookUp(topic: string): Route {
    return this.#matchAll(topic);
  }

  #group(filter: string, plain: string): SharedGroup {
    let group = this.#groups.get(filter);
    if (group === undefined) {
      group = new SharedGroup(filter, this.#strategy);
      this.#groups.set(filter, group);
      this.#tree.set(plain, group, group);
    }
    return group;
  }

  /** A filter without wildcards concerns one topic: the routes of all others stay. */
  #changed(filter: string): void {
    if (filter.includes("#") || filter.includes("+")) {
      this.#stamp++;
      return;
    }
    const topic = this.#topics.peek(filter);
    if (topic !== undefined) topic.route = undefined;
    // Somebody may still hold a topic of a table that was cleared since.
    else if (this.#topics.generation > 0) this.#stamp++;
  }

  #match(topic: string): Route {
    const route = this.#matchAll(topic);
    if (route.recipients.length + route.groups.length > 0 || route.peers !== undefined) return route;
    // Most topics of a broker may have no subscriber: they share one route.
    const { stamp, tableGeneration } = this.#absentClient;
    if (stamp !== route.stamp || tableGeneration !== route.tableGeneration) this.#absentClient = route;
    return this.#absentClient;
  }

  #matchAll(topic: string): Route {
    const found = new Map<SessionEntry, SubscriptionRecord[]>();
    const groups: SharedGroup[] = [];
    let peers: Set<Peer> | undefined;
    let overlaps = 0;
    this.#tree.match(topic, (value, key) => {
      if (value instanceof SharedGroup) {
        if (value.isWanted) groups.push(value);
        return;
      }
      if (value instanceof PeerKey) {
        peers ??= new Set();
        peers.add(value.peer);
        return;
      }
      if ((key as SessionEntry).ended) return;
      const records = found.get(key as SessionEntry);
      if (records === undefined) {
        found.set(key as SessionEntry, [value]);
        return;
      }
      records.push(value);
      overlaps++;
    });
    const recipients: Recipient[] = [];
    for (const [entry, records] of found) recipients.push(new Recipient(entry, records));
    return new Route(
      recipients,
      groups,
      this.#stamp,
      this.#topics.generation,
      peers && [...peers],
      overlaps > MANY_OVERLAPS,
    );
  }
}

/** Filters are checked before they get here. */
function sharedOf(filter: string): SharedFilter | undefined {
  const shared = parseShared(filter);
  return shared === "invalid" ? undefined : shared;
}
