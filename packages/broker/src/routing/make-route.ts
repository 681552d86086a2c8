// Makes the route of a topic of the filters that match it: the subscriptions of each session are merged into one
// recipient.
import type { Peer } from "@wrenmq/cluster";
import type { SubscriptionRecord } from "@wrenmq/protocol";
import type { StoredFilter, SubscriptionTree } from "@wrenmq/topics";
import type { SessionEntry } from "../sessions/session-entry.ts";
import { MessageWatch } from "./message-watch.ts";
import { Recipient } from "./recipient.ts";
import { Route } from "./route.ts";
import { SharedGroup } from "./shared-groups.ts";

/** Stands for all subscribers at a peer. */
export class PeerKey {
  readonly peer: Peer;
  constructor(peer: Peer) {
    this.peer = peer;
  }
}

type Subscriber = SessionEntry | SharedGroup | PeerKey | MessageWatch;
type Subscription = SubscriptionRecord | SharedGroup | PeerKey | MessageWatch;
export type RouteTree = SubscriptionTree<Subscriber, Subscription>;

/** Up to this number of sessions, duplicates are found by comparing; for more a Map is used. */
const FEW = 8;
const NO_GROUPS: readonly SharedGroup[] = [];

/** @param filters the first `count` are those that `tree` found */
export function makeRoute(tree: RouteTree, filters: readonly (StoredFilter | undefined)[], count: number): Route {
  const entries: SessionEntry[] = [];
  const records: SubscriptionRecord[] = [];
  let groups = NO_GROUPS;
  let peers: readonly Peer[] | undefined;
  let watches: readonly MessageWatch[] | undefined;
  const visit = (value: Subscription, key: Subscriber): void => {
    if (value instanceof SharedGroup) {
      if (value.isWanted) groups = [...groups, value];
    } else if (value instanceof PeerKey) {
      if (peers?.includes(value.peer) !== true) peers = [...(peers ?? []), value.peer];
    } else if (value instanceof MessageWatch) {
      watches = [...(watches ?? []), value];
    } else if (!(key as SessionEntry).ended) {
      entries.push(key as SessionEntry);
      records.push(value);
    }
  };
  const versions: number[] = [];
  for (let index = 0; index < count; index++) {
    const filter = filters[index] as StoredFilter;
    versions.push(filter.version);
    tree.visit(filter, visit);
  }
  const isDistinct = count === 1 || areDistinct(entries);
  const recipients = isDistinct ? recipientsOf(entries, records) : mergedRecipients(entries, records);
  const weight = 1 + records.length + groups.length;
  return new Route(recipients, groups, peers, watches, versions, weight);
}

function areDistinct(entries: readonly SessionEntry[]): boolean {
  if (entries.length > FEW) return false;
  for (let index = 1; index < entries.length; index++) {
    if (entries.indexOf(entries[index] as SessionEntry) < index) return false;
  }
  return true;
}

function recipientsOf(entries: readonly SessionEntry[], records: readonly SubscriptionRecord[]): Recipient[] {
  return entries.map((entry, index) => new Recipient(entry, [records[index] as SubscriptionRecord]));
}

/** One recipient for each session, however many of its subscriptions match. [MQTT-3.3.4-2] */
function mergedRecipients(entries: readonly SessionEntry[], records: readonly SubscriptionRecord[]): Recipient[] {
  const found = new Map<SessionEntry, SubscriptionRecord[]>();
  for (const [index, entry] of entries.entries()) {
    const record = records[index] as SubscriptionRecord;
    const others = found.get(entry);
    if (others === undefined) found.set(entry, [record]);
    else others.push(record);
  }
  return [...found].map(([entry, all]) => new Recipient(entry, all));
}
