// The interest of this broker's sessions in messages of other brokers: for each filter whether a session subscribes to
// it, and whether one of these outlives the process; for each shared subscription the number of members.
import type { ClusterBus } from "@wrenmq/cluster";
import { isShared } from "@wrenmq/topics";
import type { RouteTable, RouteWatcher } from "../routing/route-table.ts";
import type { Flushable } from "../runtime/flusher.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";

interface Interest {
  subscribers: number;
  /** Number of sessions that outlive the process. */
  durable: number;
}

export interface InterestOptions {
  readonly bus: ClusterBus;
  readonly routes: RouteTable;
  /** Do any sessions outlive the process? */
  readonly hasStore: boolean;
  /** Calls `flush` at the end of the turn. */
  flushLater(output: Flushable): void;
}

export class LocalInterest implements RouteWatcher, Flushable {
  readonly #options: InterestOptions;
  readonly #filters = new Map<string, Interest>();
  /** Sessions that were counted as durable. */
  readonly #durable = new WeakSet<SessionEntry>();
  readonly #changedGroups = new Set<string>();

  constructor(options: InterestOptions) {
    this.#options = options;
  }

  added(entry: SessionEntry, filter: string): void {
    if (isShared(filter)) {
      this.#tellGroup(filter);
      return;
    }
    this.#checkDurable(entry, filter);
    const interest = this.#filters.get(filter) ?? { subscribers: 0, durable: 0 };
    interest.subscribers++;
    if (this.#durable.has(entry)) interest.durable++;
    this.#filters.set(filter, interest);
    this.#tell(filter, interest);
  }

  removed(entry: SessionEntry, filter: string): void {
    if (isShared(filter)) {
      this.#tellGroup(filter);
      return;
    }
    const interest = this.#filters.get(filter);
    if (interest === undefined) return;
    interest.subscribers--;
    if (this.#durable.has(entry)) interest.durable--;
    this.#tell(filter, interest);
  }

  /** A session has got or lost its connection, or has another expiry interval. */
  changed(entry: SessionEntry): void {
    this.#checkDurable(entry, undefined);
    for (const filter of entry.session.subscriptions.keys()) {
      if (!isShared(filter)) continue;
      // Clients may come and go by the thousand: groups are counted once per turn.
      if (this.#changedGroups.size === 0) this.#options.flushLater(this);
      this.#changedGroups.add(filter);
    }
  }

  flush(): void {
    const filters = [...this.#changedGroups];
    this.#changedGroups.clear();
    for (const filter of filters) this.#tellGroup(filter);
  }

  /** @param except a filter whose subscription by this session is not counted yet */
  #checkDurable(entry: SessionEntry, except: string | undefined): void {
    const isDurable = this.#options.hasStore && entry.session.expiryInterval > 0;
    if (isDurable === this.#durable.has(entry)) return;
    if (isDurable) this.#durable.add(entry);
    else this.#durable.delete(entry);
    for (const filter of entry.session.subscriptions.keys()) {
      const interest = this.#filters.get(filter);
      if (interest === undefined || filter === except) continue;
      interest.durable += isDurable ? 1 : -1;
      this.#tell(filter, interest);
    }
  }

  #tell(filter: string, interest: Interest): void {
    const { bus } = this.#options;
    if (interest.subscribers > 0) bus.setRoute(filter, interest.durable > 0);
    else {
      this.#filters.delete(filter);
      bus.removeRoute(filter);
    }
  }

  #tellGroup(filter: string): void {
    const { bus, routes, hasStore } = this.#options;
    const group = routes.group(filter);
    const members = group?.members ?? [];
    let connected = 0;
    let durable = false;
    for (const { entry } of members) {
      if (entry.connection !== undefined) connected++;
      if (hasStore && entry.session.expiryInterval > 0) durable = true;
    }
    if (group !== undefined) group.connectedHere = connected;
    bus.setGroup(filter, connected, members.length, durable);
  }
}
