// Who is a member, and which member serves which clients: one value, changed by compare-and-set only, so that all members
// see the same views in the same order. A member that a view lacks has ended, whatever it believes itself.
import { homeOf, type MeshMember } from "@wrenmq/cluster";

/** Incremented when the value's form changes. */
export const VIEW_FORMAT = 1;
/** `Stamps` of @wrenmq/cluster have six bits for the number of a member. */
export const MOST_MEMBERS = 64;

export interface ViewMember extends MeshMember {
  /** Unique among the members. */
  readonly name: string;
  /** Unique for each attempt to become a member. */
  readonly instance: string;
  /** Version of WrenMQ. */
  readonly version: string;
  /** Does it know the others' subscriptions and retained messages? Only such members serve partitions. */
  readonly isReady: boolean;
}

export interface View {
  readonly format: typeof VIEW_FORMAT;
  /** Version of the frames between members. */
  readonly wire: number;
  /** Highest `run` that was given to a member. */
  readonly lastRun: number;
  readonly members: readonly ViewMember[];
  /** For each partition the member that serves its clients; null: there is none at present. */
  readonly owners: readonly (number | null)[];
}

export function emptyView(wire: number, partitions: number): View {
  return { format: VIEW_FORMAT, wire, lastRun: 0, members: [], owners: new Array<null>(partitions).fill(null) };
}

/** The partition of a client identifier. */
export function partitionOf(clientId: string, { owners }: View): number {
  return homeOf(clientId, owners.length);
}

export function isIn({ members }: View, { id, run }: MeshMember): boolean {
  return members.some((one) => one.id === id && one.run === run);
}

/** @returns undefined: there are as many members as there can be */
export function joined(view: View, who: Pick<ViewMember, "name" | "instance" | "version">): ViewMember | undefined {
  for (let id = 0; id < MOST_MEMBERS; id++) {
    if (view.members.some((one) => one.id === id)) continue;
    return { ...who, id, run: view.lastRun + 1, isReady: false };
  }
  return undefined;
}

/** The view with these members. Partitions whose member is not among them, or not ready, get another one. */
export function withMembers(view: View, members: readonly ViewMember[]): View {
  const lastRun = Math.max(view.lastRun, ...members.map(({ run }) => run));
  const sorted = [...members].sort((one, other) => one.id - other.id);
  const owners = assigned(view.owners, sorted);
  return { ...view, lastRun, members: sorted, owners };
}

/** How many partitions each ready member serves. */
function loads(owners: View["owners"], members: readonly ViewMember[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { id, isReady } of members) if (isReady) counts.set(id, 0);
  for (const owner of owners) {
    const count = owner === null ? undefined : counts.get(owner);
    if (owner !== null && count !== undefined) counts.set(owner, count + 1);
  }
  return counts;
}

function leastLoaded(counts: ReadonlyMap<number, number>): number | undefined {
  let least: number | undefined;
  for (const [id, count] of counts) if (least === undefined || count < (counts.get(least) ?? 0)) least = id;
  return least;
}

function assigned(owners: View["owners"], members: readonly ViewMember[]): View["owners"] {
  const counts = loads(owners, members);
  return owners.map((owner) => {
    if (owner !== null && counts.has(owner)) return owner;
    const least = leastLoaded(counts);
    if (least === undefined) return null;
    counts.set(least, (counts.get(least) ?? 0) + 1);
    return least;
  });
}

/** How many of its partitions a member should give to others, so that no two differ by more than one. */
export function surplus({ owners, members }: View, self: number): number {
  const counts = loads(owners, members);
  const own = counts.get(self);
  const least = leastLoaded(counts);
  if (own === undefined || least === undefined) return 0;
  // Those with the highest numbers keep less where it does not come out even.
  const rank = [...counts.keys()].filter((id) => id < self).length;
  const fair = Math.floor(owners.length / counts.size) + (rank < owners.length % counts.size ? 1 : 0);
  return own - (counts.get(least) ?? 0) > 1 ? Math.max(0, own - fair) : 0;
}

/** The view after a member has given partitions away. */
export function released(view: View, self: number, partitions: readonly number[]): View {
  const { owners, members } = view;
  const without = owners.map((owner, at) => (owner === self && partitions.includes(at) ? null : owner));
  return { ...view, owners: assigned(without, members) };
}

/** @returns undefined: it is no view */
export function parseView(text: string): View | undefined {
  try {
    const view = JSON.parse(text) as View;
    const isView = view.format === VIEW_FORMAT && Array.isArray(view.members) && Array.isArray(view.owners);
    return isView && view.owners.length > 0 ? view : undefined;
  } catch {
    return undefined;
  }
}
