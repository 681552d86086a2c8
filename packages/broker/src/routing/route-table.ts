// Who gets the messages of a topic. Kept with the topic until any subscription changes; then its filters are looked for
// again, which is cheap, and what they come to is found in the cache of routes, unless they are what has changed.
import type { Peer } from "@wrenmq/cluster";
import type { SubscriptionRecord, Topic } from "@wrenmq/protocol";
import { parseShared, type SharedFilter, type StoredFilter, SubscriptionTree } from "@wrenmq/topics";
import type { SessionEntry } from "../sessions/session-entry.ts";
import { makeRoute, PeerKey, type RouteTree } from "./make-route.ts";
import { Recipient } from "./recipient.ts";
import { Route } from "./route.ts";
import { RouteCache } from "./route-cache.ts";
import { SharedGroup, type ShareStrategy } from "./shared-groups.ts";

/** Larger routes are not kept with topics, only in the cache, which is bounded: delivering takes longer than finding them. */
const LARGE = 64;
/** Filters found for one topic that the scratch space has room for. */
const KEPT_SLOTS = 4_096;
const NOBODY = new Route([], [], undefined, [], 0);

/** A session that ends with so few subscriptions leaves at once: only routes that it was in are made again. */
const FEW = 64;
/** Subscriptions that may wait to be taken out: who makes sessions faster than that does not fill the memory. */
const MOST_LEAVING = 1_000_000;

/** Called when local sessions subscribe and unsubscribe. */
export interface RouteWatcher {
  added(entry: SessionEntry, filter: string): void;
  removed(entry: SessionEntry, filter: string): void;
}

export class RouteTable {
  readonly #tree: RouteTree = new SubscriptionTree();
  readonly #peers = new Map<Peer, PeerKey>();
  /** Given when other brokers act as one with this one. */
  watcher: RouteWatcher | undefined = undefined;
  readonly #groups = new Map<string, SharedGroup>();
  readonly #strategy: ShareStrategy;
  readonly #cache = new RouteCache();
  /** Grows with each change. */
  #stamp = 0;
  #checksTopics = false;
  /** Filters that match the topic that is looked for. */
  readonly #found: (StoredFilter | undefined)[] = [];
  /** Subscriptions of all sessions. */
  size: number = 0;
  /** Those of sessions that have ended and are still to be taken out. */
  #leaving = 0;

  constructor(strategy: ShareStrategy) {
    this.#strategy = strategy;
  }

  /** Does any plugin decide about topics? Then each topic has a route of its own, with the verdicts about it. */
  set checksTopics(checksTopics: boolean) {
    this.#checksTopics = checksTopics;
    this.#stamp++;
  }

  /** @returns is it a subscription that the session did not have? */
  add(entry: SessionEntry, filter: string, record: SubscriptionRecord): boolean {
    const shared = sharedOf(filter);
    if (shared !== undefined) entry.hasShared = true;
    const isNew =
      shared === undefined
        ? this.#tree.set(filter, entry, record) === undefined
        : this.#group(filter, shared.filter).set(new Recipient(entry, [record], filter));
    this.#changed(shared);
    if (!isNew) return false;
    this.size++;
    this.watcher?.added(entry, filter);
    return true;
  }

  remove(entry: SessionEntry, filter: string): void {
    const shared = sharedOf(filter);
    if (!this.#delete(entry, filter, shared)) return;
    this.size--;
    this.#changed(shared);
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
    // In how many routes it is nobody knows.
    this.#cache.clear();
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
    this.#changed(undefined);
  }

  removePeer(peer: Peer, filter: string): void {
    const key = this.#peers.get(peer);
    if (key === undefined || this.#tree.delete(filter, key) === undefined) return;
    this.#changed(undefined);
  }

  setPeerGroup(peer: Peer, filter: string, connected: number, members: number): void {
    const shared = sharedOf(filter);
    if (shared === undefined) return;
    const group = this.#group(filter, shared.filter);
    group.setElsewhere(peer, connected, members);
    this.#dropIfEmpty(group, shared.filter);
    this.#changed(shared);
  }

  #dropIfEmpty(group: SharedGroup, plain: string): void {
    if (!group.isEmpty) return;
    this.#groups.delete(group.filter);
    this.#tree.delete(plain, group);
  }

  find(topic: Topic): Route {
    if (topic.routeStamp === this.#stamp) return topic.route as Route;
    let route = this.#match(topic);
    if (this.#checksTopics) route = ownRoute(topic, route);
    else if (route.weight > LARGE) return route;
    topic.route = route;
    topic.routeStamp = this.#stamp;
    return route;
  }

  /** Who gets the messages of a topic now, without remembering it: for questions about topics that perhaps nobody uses. */
  lookUp(topic: string): Route {
    const bytes = new TextEncoder().encode(topic);
    const found: (StoredFilter | undefined)[] = [];
    const count = this.#tree.find(bytes, 0, bytes.length, found);
    return count === 0 ? NOBODY : makeRoute(this.#tree, found, count);
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

  /** @param shared given when it was the members of a group that changed, of which the tree knows nothing */
  #changed(shared: SharedFilter | undefined): void {
    if (shared !== undefined) this.#tree.touch(shared.filter);
    this.#stamp++;
  }

  #match({ bytes, start, length }: Topic): Route {
    const found = this.#found;
    const count = this.#tree.find(bytes, start, start + length, found);
    if (count === 0) return NOBODY;
    let route = this.#cache.get(found, count);
    if (route === undefined) {
      route = makeRoute(this.#tree, found, count);
      this.#cache.offer(route);
    }
    if (found.length > KEPT_SLOTS) found.length = 0;
    return route;
  }
}

/** The one that the topic has already, if it is for the same recipients: with the verdicts about them. */
function ownRoute(topic: Topic, route: Route): Route {
  const known = topic.route as Route | undefined;
  return known?.isCopyOf(route) === true ? known : route.forOneTopic();
}

/** Filters are checked before they get here. */
function sharedOf(filter: string): SharedFilter | undefined {
  const shared = parseShared(filter);
  return shared === "invalid" ? undefined : shared;
}
