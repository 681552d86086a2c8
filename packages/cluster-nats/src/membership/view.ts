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
  /** An operator empties it: it gets no partitions while another member can have them. Absent: it is not emptied. */
  readonly isDraining?: true;
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
  /**
   * Where partitions are shards, with a journal each: how often each one was given to a member, so that no two of its
   * runs have the same number. Absent: sessions live in the memory of the owner.
   */
  readonly epochs?: readonly number[];
  /** By shard: the number of the member that an operator wants to have it. Absent: there is no such wish. */
  readonly wishes?: Readonly<Record<string, number>>;
}

/** @param durable are the partitions shards? */
export function emptyView(wire: number, partitions: number, durable = false): View {
  const owners = new Array<null>(partitions).fill(null);
  const epochs = durable ? { epochs: new Array<number>(partitions).fill(0) } : {};
  return { format: VIEW_FORMAT, wire, lastRun: 0, members: [], owners, ...epochs };
}

/** The view with these owners. A shard that gets another one begins a new run. */
export function withOwners(view: View, owners: View["owners"]): View {
  const epochs = view.epochs?.map((epoch, at) => (owners[at] === view.owners[at] ? epoch : epoch + 1));
  return { ...view, owners, ...(epochs === undefined ? {} : { epochs }) };
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
  const next = { ...withOwners(view, assigned(view.owners, sorted)), lastRun, members: sorted };
  if (view.wishes === undefined) return next;
  const isThere = ([, wanted]: [string, number]): boolean => sorted.some(({ id }) => id === wanted);
  return { ...next, wishes: Object.fromEntries(Object.entries(view.wishes).filter(isThere)) };
}

/** How many partitions each member serves that may get some. */
function loads(owners: View["owners"], members: readonly ViewMember[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { id } of takers(members)) counts.set(id, 0);
  for (const owner of owners) {
    const count = owner === null ? undefined : counts.get(owner);
    if (owner !== null && count !== undefined) counts.set(owner, count + 1);
  }
  return counts;
}

/** Ready members; those that are emptied only if there is no other. */
function takers(members: readonly ViewMember[]): readonly ViewMember[] {
  const ready = members.filter(({ isReady }) => isReady);
  const wanted = ready.filter(({ isDraining }) => isDraining !== true);
  return wanted.length > 0 ? wanted : ready;
}

function leastLoaded(counts: ReadonlyMap<number, number>): number | undefined {
  let least: number | undefined;
  for (const [id, count] of counts) if (least === undefined || count < (counts.get(least) ?? 0)) least = id;
  return least;
}

function assigned(owners: View["owners"], members: readonly ViewMember[]): View["owners"] {
  const counts = loads(owners, members);
  // One that is emptied keeps what it has until it has released it.
  const ready = new Set(members.filter(({ isReady }) => isReady).map(({ id }) => id));
  return owners.map((owner) => {
    if (owner !== null && ready.has(owner)) return owner;
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
  return withOwners(view, assigned(without, members));
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

// ── shards ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The member that a shard of `self` should be given to; undefined: it stays.
 * @param shard one of those of `self`
 */
export function nextOwner(view: View, self: number, shard: number): number | undefined {
  const { members, owners, wishes } = view;
  const candidates = takers(members);
  const wanted = wishes?.[shard];
  if (wanted !== undefined && candidates.some(({ id }) => id === wanted)) return wanted === self ? undefined : wanted;
  const isEmptied = !candidates.some(({ id }) => id === self);
  const counts = loads(owners, members);
  const least = leastLoaded(counts);
  if (least === undefined || least === self) return undefined;
  if (isEmptied) return least;
  return surplus(view, self) > 0 && shard === lastUnwished(view, self) ? least : undefined;
}

/** The shard that a member with too many gives away first: not one that an operator has put there. */
function lastUnwished({ owners, wishes }: View, self: number): number {
  return owners.findLastIndex((owner, shard) => owner === self && wishes?.[shard] === undefined);
}

/** The view after `self` has given a shard to another member. */
export function given(view: View, shard: number, to: number): View {
  return withOwners(
    view,
    view.owners.map((owner, at) => (at === shard ? to : owner)),
  );
}

/** The view with a new run of a shard that stays with its owner. */
export function begunAgain(view: View, shard: number): View {
  return { ...view, epochs: (view.epochs ?? []).map((epoch, at) => (at === shard ? epoch + 1 : epoch)) };
}

/** The view with an operator's wish: a shard is to be at a member, and stays there while that can have it. */
export function wished(view: View, shard: number, member: number): View {
  return { ...view, wishes: { ...view.wishes, [shard]: member } };
}

/** The view with a member that is to be emptied, or not any more. Wishes for it end. */
export function drained(view: View, member: number, isDraining: boolean): View {
  const members = view.members.map((one) => {
    if (one.id !== member) return one;
    const { isDraining: _before, ...rest } = one;
    return isDraining ? { ...rest, isDraining } : rest;
  });
  if (!isDraining) return { ...view, members };
  const wishes = Object.fromEntries(Object.entries(view.wishes ?? {}).filter(([, wanted]) => wanted !== member));
  return { ...view, members, wishes };
}
