// Who gets the messages of a topic: found out once, kept with the topic until a subscription that matters changes.
import type { Peer } from "@wrenmq/cluster";
import type { QoS } from "@wrenmq/codec";
import type { ClientInfo } from "@wrenmq/plugin-api";
import type { DeliveryOptions, SubscriptionRecord, Topic, TopicTable } from "@wrenmq/protocol";
import { parseShared, type SharedFilter, SubscriptionTree } from "@wrenmq/topics";
import type { SessionEntry } from "./session-registry.ts";
import { SharedGroup, type ShareStrategy } from "./shared-groups.ts";

/** The six ways to be sent a message without subscription identifiers, by qos * 2 + retain. */
const PLAIN: readonly DeliveryOptions[] = tableOf(undefined);

function tableOf(subscriptionIdentifiers: readonly number[] | undefined): DeliveryOptions[] {
  const table: DeliveryOptions[] = [];
  for (const qos of [0, 1, 2] as const) {
    table.push({ qos, retain: false, subscriptionIdentifiers }, { qos, retain: true, subscriptionIdentifiers });
  }
  return table;
}

/** How one session is sent the messages of one topic, whatever number of its subscriptions match. [MQTT-3.3.4-2] */
export class Receiver {
  readonly entry: SessionEntry;
  /** Without Retain As Published the retain flag is cleared. */
  #retainAsPublished: boolean;
  #qos: number;
  #table: readonly DeliveryOptions[];
  /** Given when a subscription has No Local: how its own messages go to it; null: not at all. [MQTT-3.8.3-3] */
  own: Receiver | null | undefined = undefined;
  /** The access rules' answer, about whom it was given, and the generation of rules that gave it. */
  #allowed = false;
  #client: ClientInfo | undefined = undefined;
  #rules = -1;

  constructor(entry: SessionEntry, records: readonly SubscriptionRecord[]) {
    this.entry = entry;
    this.#qos = Math.max(...records.map((record) => record.qos));
    this.#retainAsPublished = records.some((record) => record.retainAsPublished);
    const identifiers = records.flatMap((record) => record.subscriptionIdentifier ?? []);
    this.#table = identifiers.length === 0 ? PLAIN : tableOf(identifiers);
    if (records.some((record) => record.noLocal)) {
      const others = records.filter((record) => !record.noLocal);
      this.own = others.length === 0 ? null : new Receiver(entry, others);
    }
  }

  /** May its client receive messages of the topic? undefined: nobody has asked since it connected and rules changed. */
  verdict(rules: number): boolean | undefined {
    return rules === this.#rules && this.#client === this.entry.client ? this.#allowed : undefined;
  }

  learn(allowed: boolean, client: ClientInfo, rules: number): boolean {
    this.#allowed = allowed;
    this.#client = client;
    this.#rules = rules;
    return allowed;
  }

  /** min(QoS of the message, granted QoS), and the retain flag as the subscriber wants it. */
  options(qos: QoS, retain: boolean): DeliveryOptions {
    const effective = qos < this.#qos ? qos : this.#qos;
    return this.#table[effective * 2 + (retain && this.#retainAsPublished ? 1 : 0)] as DeliveryOptions;
  }
}

/** How a retained message goes to a new subscription: with the retain flag. [MQTT-3.3.1-8] */
export function replayOptions(record: SubscriptionRecord, qos: QoS): DeliveryOptions {
  const { subscriptionIdentifier } = record;
  const table = subscriptionIdentifier === undefined ? PLAIN : tableOf([subscriptionIdentifier]);
  return table[Math.min(record.qos, qos) * 2 + 1] as DeliveryOptions;
}

export class Route {
  readonly receivers: readonly Receiver[];
  readonly groups: readonly SharedGroup[];
  readonly stamp: number;
  readonly tableGeneration: number;
  /** Other brokers whose subscribers want the topic's messages. */
  readonly peers: readonly Peer[] | undefined;

  constructor(
    receivers: readonly Receiver[],
    groups: readonly SharedGroup[],
    stamp: number,
    tableGeneration: number,
    peers?: readonly Peer[],
  ) {
    this.receivers = receivers;
    this.groups = groups;
    this.stamp = stamp;
    this.tableGeneration = tableGeneration;
    this.peers = peers;
  }
}

/** Told of what local sessions want. */
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

export class Routes {
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
  #nobody = new Route([], [], -1, -1);
  /** Subscriptions of all sessions. */
  size: number = 0;

  constructor(topics: TopicTable, strategy: ShareStrategy) {
    this.#topics = topics;
    this.#strategy = strategy;
  }

  /** @returns is it a subscription that the session did not have? */
  add(entry: SessionEntry, filter: string, record: SubscriptionRecord): boolean {
    const shared = sharedOf(filter);
    const previous =
      shared === undefined
        ? (this.#tree.set(filter, entry, record) as SubscriptionRecord | undefined)
        : this.#group(filter, shared.filter).set(entry, record);
    this.#changed(shared?.filter ?? filter);
    if (previous !== undefined) return false;
    this.size++;
    this.watcher?.added(entry, filter);
    return true;
  }

  remove(entry: SessionEntry, filter: string): void {
    const shared = sharedOf(filter);
    if (shared === undefined) {
      if (this.#tree.delete(filter, entry) === undefined) return;
    } else {
      const group = this.#groups.get(filter);
      if (group?.delete(entry) === undefined) return;
      this.#dropIfEmpty(group, shared.filter);
    }
    this.size--;
    this.#changed(shared?.filter ?? filter);
    this.watcher?.removed(entry, filter);
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
    topic.route = route;
    return route;
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
    if (route.receivers.length + route.groups.length > 0 || route.peers !== undefined) return route;
    // Most topics of a broker may have nobody: they share one answer.
    const { stamp, tableGeneration } = this.#nobody;
    if (stamp !== route.stamp || tableGeneration !== route.tableGeneration) this.#nobody = route;
    return this.#nobody;
  }

  #matchAll(topic: string): Route {
    const found = new Map<SessionEntry, SubscriptionRecord[]>();
    const groups: SharedGroup[] = [];
    let peers: Set<Peer> | undefined;
    this.#tree.match(topic, (value, key) => {
      if (value instanceof SharedGroup) {
        groups.push(value);
        return;
      }
      if (value instanceof PeerKey) {
        peers ??= new Set();
        peers.add(value.peer);
        return;
      }
      const records = found.get(key as SessionEntry);
      if (records === undefined) found.set(key as SessionEntry, [value]);
      else records.push(value);
    });
    const receivers: Receiver[] = [];
    for (const [entry, records] of found) receivers.push(new Receiver(entry, records));
    return new Route(receivers, groups, this.#stamp, this.#topics.generation, peers && [...peers]);
  }
}

/** Filters are checked before they get here. */
function sharedOf(filter: string): SharedFilter | undefined {
  const shared = parseShared(filter);
  return shared === "invalid" ? undefined : shared;
}
