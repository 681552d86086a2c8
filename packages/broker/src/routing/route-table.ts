// Finds the route of a topic. It is kept with the topic until any subscription changes; then the matching filters are
// searched again, which is cheap, and their route is found in the cache unless it has changed.
import type { Peer } from "@wrenmq/cluster";
import type { SubscriptionRecord, Topic } from "@wrenmq/protocol";
import { parseShared, type SharedFilter, type StoredFilter, SubscriptionTree } from "@wrenmq/topics";
import type { SessionEntry } from "../sessions/session-entry.ts";
import { makeRoute, PeerKey, type RouteTree } from "./make-route.ts";
import type { MessageWatch } from "./message-watch.ts";
import { Recipient } from "./recipient.ts";
import { Route } from "./route.ts";
import { RouteCache } from "./route-cache.ts";
import { SharedGroup, type ShareStrategy } from "./shared-groups.ts";

/** Larger routes are not kept with topics, only in the bounded cache: delivering takes longer than finding them. */
const LARGE = 64;
/** Capacity of the scratch space for filters of one topic. */
const KEPT_SLOTS = 4_096;
const NOBODY = new Route([], [], undefined, undefined, [], 0);

/** Up to this number of subscriptions a session that ends is removed at once: only its routes are made again. */
const FEW = 64;
/**
 * The most subscriptions that wait to be removed: bounds the memory for clients that make sessions faster than that.
 */
const MOST_LEAVING = 1_000_000;

/** Called when local sessions subscribe and unsubscribe. */
export interface RouteWatcher {
  added(entry: SessionEntry, filter: string): void;
  removed(entry: SessionEntry, filter: string): void;
}

export class RouteTable {
  readonly #tree: RouteTree = new SubscriptionTree();
  readonly #peers = new Map<Peer, PeerKey>();
  /** Set when other brokers act as one with this one. */
  watcher: RouteWatcher | undefined = undefined;
  readonly #groups = new Map<string, SharedGroup>();
  readonly #strategy: ShareStrategy;
  readonly #cache = new RouteCache();
  /** Incremented with each change. */
  #stamp = 0;
  #checksTopics = false;
  /** Filters that match the present topic. */
  readonly #found: (StoredFilter | undefined)[] = [];
  /** Subscriptions of all sessions. */
  size: number = 0;
  /** Subscriptions of ended sessions that wait to be removed. */
  #leaving = 0;

  constructor(strategy: ShareStrategy) {
    this.#strategy = strategy;
  }

  /** Does any plugin decide about topics? Then each topic has its own route, with its verdicts. */
  set checksTopics(checksTopics: boolean) {
    this.#checksTopics = checksTopics;
    this.#stamp++;
  }

  /** @returns true if the session did not have this subscription */
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
   * The session has ended: it receives no messages from now on.
   * @returns steps that remove its subscriptions, if there are many; undefined: they are removed
   */
  removeAll(entry: SessionEntry): Iterator<void> | undefined {
    const { subscriptions } = entry.session;
    const { size } = subscriptions;
    if (size <= FEW || this.#leaving + size > MOST_LEAVING) {
      for (const filter of subscriptions.keys()) this.remove(entry, filter);
      return undefined;
    }
    // The number of routes with this session is unknown.
    this.#cache.clear();
    this.#stamp++;
    this.size -= size;
    this.#leaving += size;
    return this.#leave(entry, subscriptions.keys());
  }

  /** Routes that are made meanwhile do not contain ended sessions, and stay valid. */
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

  /** A shared subscription, by its full filter. */
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

  /** @param filter without `$share` */
  addWatch(watch: MessageWatch, filter: string): void {
    this.#tree.set(filter, watch, watch);
    this.#changed(undefined);
  }

  removeWatch(watch: MessageWatch, filter: string): void {
    if (this.#tree.delete(filter, watch) !== undefined) this.#changed(undefined);
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

  /** The present route of a topic, without caching it: for questions about topics that may never be used. */
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

  /** @param shared set when only the members of a group have changed, which are not in the tree */
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

/** The topic's own route if it has the same recipients: it has their verdicts. */
function ownRoute(topic: Topic, route: Route): Route {
  const known = topic.route as Route | undefined;
  return known?.isCopyOf(route) === true ? known : route.forOneTopic();
}

/** Filters were validated before. */
function sharedOf(filter: string): SharedFilter | undefined {
  const shared = parseShared(filter);
  return shared === "invalid" ? undefined : shared;
}
