// A broker as a member of a cluster: joins the links, the membership and the placement of clients, for the broker's
// options `bus` and `placement`.
import { randomUUID } from "node:crypto";
import { type ClusterReport, MeshBus, type MeshMember, RelayConnection, WIRE_VERSION } from "@wrenmq/cluster";
import type { Connection, ConnectionHandler, ExternalConnection } from "@wrenmq/transport";
import { type LinkBus, NatsMesh } from "./links/nats-mesh.ts";
import { join } from "./membership/join.ts";
import { Membership } from "./membership/membership.ts";
import { TIMING } from "./membership/timing.ts";
import { partitionOf, type View } from "./membership/view.ts";
import { openClusterStore } from "./nats/kv-cluster-store.ts";
import { connectToNats, type NatsOptions, sleep } from "./nats/nats-connection.ts";
import { systemClock } from "./system-clock.ts";

/** Milliseconds that leaving may take. */
const LEAVE_PATIENCE = 1_000;

export interface ClusterOptions {
  /** Letters, digits, `-` and `_`: it is a part of subjects, and of the name of a bucket. */
  readonly name: string;
  /** Name of this member: another one than that of every other member. */
  readonly member: string;
  readonly nats: NatsOptions;
  /** The same for all members, for ever. Default 16. */
  readonly partitions?: number;
  /** Of the bucket, when it is created. Default: 3 where NATS servers form a cluster, otherwise 1. */
  readonly replicas?: number;
  /** Version of WrenMQ, to be shown. */
  readonly version: string;
  /** Gives up joining. Default: it never does. */
  readonly signal?: AbortSignal;
  /** One line for the log. */
  said?(line: string): void;
}

/** What a member needs of its broker. */
export interface MemberBroker {
  accept(connection: ExternalConnection, listener: string): void;
  /** Client identifiers of all sessions. */
  clientIds(): Iterable<string>;
}

export interface ClusterMember {
  readonly id: number;
  readonly bus: MeshBus;
  readonly placement: {
    isHome(clientId: string): boolean;
    isStillHome(clientId: string): boolean;
    isHomeless(): boolean;
    handOver(
      connection: Connection,
      client: { readonly clientId: string; readonly listener: string },
      head: Uint8Array,
    ): ConnectionHandler | "lost";
  };
  /** Resolves when the others have declared this member dead: its broker must close, and may join again. */
  readonly ended: Promise<void>;
  report(): ClusterReport;
  /** Before the broker starts. */
  attach(broker: MemberBroker): void;
  /** After the broker has stopped. */
  leave(): Promise<void>;
}

/**
 * Connects to NATS and becomes a member. Without a NATS server it says so, and tries again until there is one.
 * @throws ClusterError ERR_CLUSTER_NATS, ERR_CLUSTER_JOIN; the signal's reason
 */
export async function joinCluster(options: ClusterOptions): Promise<ClusterMember> {
  const { name, member, partitions = 16, version, signal = new AbortController().signal, said = () => {} } = options;
  const nats = await connectToNats(options.nats, `wrenmq ${name} ${member}`, { signal, said });
  try {
    const replicas = options.replicas ?? (nats.info?.cluster === undefined ? 1 : 3);
    const store = await openClusterStore(nats, name, { replicas, signal, said });
    const beats = `wren.${name}.hb`;
    const subjectOf = ({ id, run }: MeshMember): string => `wren.${name}.m.${id}.${run}`;
    const listeners = new Set<(text: string) => void>();
    nats.subscribe(beats, {
      callback: (error, message) => {
        if (error === null) for (const heard of listeners) heard(message.string());
      },
    });
    const { self, first } = await join({
      cluster: name,
      name: member,
      instance: randomUUID(),
      version,
      wire: WIRE_VERSION,
      partitions,
      store,
      clock: systemClock,
      timing: TIMING,
      listen(heard) {
        listeners.add(heard);
        return () => listeners.delete(heard);
      },
      sleep: (milliseconds) => sleep(milliseconds, signal),
      said,
    });
    let isThere = true;
    const publish = (subject: string, message: Uint8Array | string): void => {
      try {
        nats.publish(subject, message);
      } catch {
        // The connection is closing: links send again, and heartbeats follow each other.
      }
    };
    const link: LinkBus = {
      get isThere() {
        return isThere;
      },
      longest: nats.info?.max_payload ?? 1024 * 1024,
      send: (to, message) => publish(subjectOf(to), message),
    };
    const mesh = new NatsMesh(self, link, systemClock);
    let view: View = first.view;
    let broker: MemberBroker | undefined;
    const releasing = new Set<number>();
    const isHome = (clientId: string): boolean => {
      const partition = partitionOf(clientId, view);
      return view.owners[partition] === self.id && !releasing.has(partition);
    };
    let admitted = (): void => {};
    const whenAdmitted = new Promise<void>((resolve) => {
      admitted = resolve;
    });
    let hasEnded = (): void => {};
    const ended = new Promise<void>((resolve) => {
      hasEnded = resolve;
    });
    let certain: Promise<void> | undefined;
    let isTroubled = false;
    const report = (): ClusterReport => ({
      name,
      isConnected: isThere,
      isCertain: membership.lease.holds,
      server: nats.getServer(),
      unserved: view.owners.filter((owner) => owner === null).length,
      members: view.members.map((one) => ({
        id: one.id,
        name: one.name,
        version: one.version,
        state: one.isReady ? membership.stateOf(one) : "joining",
        isSelf: one.run === self.run,
        partitions: view.owners.filter((owner) => owner === one.id).length,
        silence: membership.silence(one),
        unconfirmed: mesh.unconfirmed(one.id),
      })),
    });
    const bus = new MeshBus({
      report,
      self: self.id,
      transport: mesh,
      accept: (connection, listener) => {
        if (broker === undefined) connection.destroy();
        else broker.accept(connection, listener);
      },
      whenAdmitted() {
        membership.ready();
        return Promise.race([whenAdmitted, ended]);
      },
      whenCertain() {
        if (membership.lease.holds) return undefined;
        certain ??= new Promise<void>((resolve) => {
          membership.lease.whenItHolds(() => {
            certain = undefined;
            resolve();
          });
        });
        return certain;
      },
    });
    const viewed = (next: View): void => {
      view = next;
      mesh.setMembers(next.members);
      bus.setMembers(next.members);
      if (next.members.some(({ run, isReady }) => run === self.run && isReady)) admitted();
    };
    const membership = new Membership({
      self,
      first,
      store,
      clock: systemClock,
      timing: TIMING,
      send: (heartbeat) => publish(beats, heartbeat),
      isBusThere: () => isThere,
      viewed,
      vacant(among, most) {
        const vacant = new Set(among);
        for (const clientId of broker?.clientIds() ?? []) {
          vacant.delete(partitionOf(clientId, view));
          if (vacant.size === 0) break;
        }
        const chosen = [...vacant].slice(0, most);
        for (const partition of chosen) releasing.add(partition);
        return chosen;
      },
      kept(among) {
        for (const partition of among) releasing.delete(partition);
      },
      ended() {
        hasEnded();
        void bus.stop();
      },
      said,
      problem(error) {
        if (isTroubled) return;
        isTroubled = true;
        said(`the bucket of the cluster cannot be used: ${error.message}`);
        membership.lease.whenItHolds(() => {
          isTroubled = false;
          said("the bucket of the cluster can be used again");
        });
      },
    });
    listeners.add((text) => membership.heard(text));
    nats.subscribe(subjectOf(self), {
      callback: (error, message) => {
        if (error === null) mesh.received(message.data);
      },
    });
    viewed(first.view);
    void watch(nats.status(), {
      lost() {
        if (!isThere) return;
        isThere = false;
        said("the connection to NATS is lost: what is for other members waits");
      },
      back() {
        if (isThere) return;
        isThere = true;
        said(`connected to NATS again: ${nats.getServer()}`);
        membership.busIsBack();
        mesh.busIsBack();
      },
    });
    return {
      id: self.id,
      bus,
      placement: {
        isHome,
        isStillHome: isHome,
        isHomeless: () => !view.owners.some((owner, partition) => owner === self.id && !releasing.has(partition)),
        handOver(connection, { clientId, listener }, head) {
          // Two members with different views would pass it to and fro.
          if (connection instanceof RelayConnection) return "lost";
          const home =
            clientId === "" ? view.owners.find((owner) => owner !== null) : view.owners[partitionOf(clientId, view)];
          if (home === undefined || home === null || home === self.id) return "lost";
          return bus.relay(home, connection, listener, head) ?? "lost";
        },
      },
      ended,
      report,
      attach(attached) {
        broker = attached;
      },
      async leave() {
        await membership.leave(LEAVE_PATIENCE);
        if (isThere) await Promise.race([nats.drain(), sleep(LEAVE_PATIENCE)]);
        await nats.close();
      },
    };
  } catch (error) {
    await nats.close();
    throw error;
  }
}

async function watch(
  status: AsyncIterable<{ readonly type: string }>,
  { lost, back }: { lost(): void; back(): void },
): Promise<void> {
  for await (const { type } of status) {
    if (type === "disconnect" || type === "close") lost();
    else if (type === "reconnect") back();
  }
}
