// How a broker becomes a member: it is compared with those that are there, takes a free number, and is refused in one
// line if it does not fit.
import { type Clock, ClusterError } from "@wrenmq/cluster";
import { type ClusterStore, readView, type StoredView, writeView } from "./cluster-store.ts";
import { parseHeartbeat } from "./heartbeat.ts";
import { Revocation } from "./lease.ts";
import type { Timing } from "./timing.ts";
import { emptyView, joined, MOST_MEMBERS, type View, type ViewMember, withMembers } from "./view.ts";

export interface Joining {
  readonly cluster: string;
  readonly name: string;
  readonly instance: string;
  readonly version: string;
  readonly wire: number;
  readonly partitions: number;
  /** Are they shards? Default: sessions live in memory. */
  readonly durable?: boolean;
  readonly store: ClusterStore;
  readonly clock: Clock;
  readonly timing: Timing;
  /** Calls back for each heartbeat. @returns a function that stops it */
  listen(heard: (heartbeat: string) => void): () => void;
  sleep(milliseconds: number): Promise<void>;
  /** One line for the log: what is waited for. */
  said(line: string): void;
}

/**
 * Resolves when this broker is a member.
 * @throws ClusterError ERR_CLUSTER_JOIN: it does not fit
 */
export async function join(joining: Joining): Promise<{ readonly self: ViewMember; readonly first: StoredView }> {
  const { store, sleep, said } = joining;
  for (;;) {
    const stored = await readView(store);
    const view = stored?.view ?? emptyView(joining.wire, joining.partitions, joining.durable);
    checkFits(view, joining);
    const own = view.members.find(({ instance }) => instance === joining.instance);
    // An attempt whose answer was lost has succeeded.
    if (own !== undefined && stored !== undefined) return { self: own, first: stored };
    const namesake = view.members.find(({ name }) => name === joining.name);
    if (namesake !== undefined) {
      said(`another member is named "${joining.name}": waiting whether it is heard of`);
      if (!(await isDead(namesake, joining))) throw refusal(joining, namesakeLives(joining.name));
    }
    const others = view.members.filter((member) => member !== namesake);
    const self = joined({ ...view, members: others }, joining);
    if (self === undefined) throw refusal(joining, `it has ${MOST_MEMBERS} members already`);
    const next = withMembers(view, [...others, pick(self)]);
    const revision = await writeView(store, next, stored?.revision ?? 0);
    if (revision !== undefined) return { self: pick(self), first: { view: next, revision } };
    await sleep(50);
  }
}

function pick({ id, run, name, instance, version, isReady }: ViewMember): ViewMember {
  return { id, run, name, instance, version, isReady };
}

function checkFits({ wire, owners, members, epochs }: View, joining: Joining): void {
  if ((epochs !== undefined) !== (joining.durable === true)) {
    const [it, this_] = epochs === undefined ? ["in memory", "replicated"] : ["replicated", "in memory"];
    throw refusal(joining, `its sessions are ${it}, this configuration says ${this_} (cluster.replicas)`);
  }
  if (owners.length !== joining.partitions) {
    throw refusal(
      joining,
      `it has ${owners.length} partitions, this configuration says ${joining.partitions}: is it another cluster of the same name?`,
    );
  }
  if (wire === joining.wire || members.length === 0) return;
  const versions = [...new Set(members.map(({ version }) => version))].join(", ");
  throw refusal(joining, `its members (${versions}) speak version ${wire} of the frames, this one ${joining.wire}`);
}

/** Waits until it is heard of, or its lease has been revoked. */
async function isDead(member: ViewMember, { store, clock, timing, listen, sleep }: Joining): Promise<boolean> {
  let isAlive = false;
  const stop = listen((text) => {
    if (parseHeartbeat(text)?.run === member.run) isAlive = true;
  });
  const revocation = new Revocation(member, store, clock, timing);
  let isRevoked = false;
  try {
    while (!isAlive && !isRevoked) {
      if (revocation.isDue) isRevoked = await revocation.advance();
      if (!isRevoked) await sleep(timing.beat / 5);
    }
  } finally {
    stop();
  }
  return isRevoked;
}

function namesakeLives(name: string): string {
  return `another member is named "${name}" and is alive: cluster.member must be a name of its own`;
}

function refusal({ cluster }: Joining, reason: string): ClusterError {
  return new ClusterError("ERR_CLUSTER_JOIN", `this broker cannot be a member of cluster "${cluster}": ${reason}`);
}
