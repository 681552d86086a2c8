// A broker as a member of a cluster: holds together the links, the membership and the placement of clients, for the
// broker's options `bus` and `placement`.
import type { NatsConnection } from "@nats-io/transport-node";
import { type ClusterReport, MeshBus } from "@wrenmq/cluster";
import type { ExternalConnection } from "@wrenmq/transport";
import { NatsMesh } from "./links/nats-mesh.ts";
import { MemberPlacement } from "./member-placement.ts";
import { BucketTrouble } from "./membership/bucket-trouble.ts";
import { Certainty } from "./membership/certainty.ts";
import type { ClusterStore, StoredView } from "./membership/cluster-store.ts";
import { Membership } from "./membership/membership.ts";
import { PartitionHomes } from "./membership/partition-homes.ts";
import { Proposals } from "./membership/proposals.ts";
import { Steering } from "./membership/steering.ts";
import { TIMING } from "./membership/timing.ts";
import { partitionOf, type View, type ViewMember } from "./membership/view.ts";
import type { ClusterSubjects } from "./nats/cluster-subjects.ts";
import type { ConnectionWatch } from "./nats/connection-watch.ts";
import { sleep } from "./nats/nats-connection.ts";
import { ShardSubjects } from "./nats/shard-subjects.ts";
import type { DoorwayPlacement } from "./shards/doorway-placement.ts";
import { type OpenShard, ShardSite } from "./shards/shard-site.ts";
import { systemClock } from "./system-clock.ts";

/** Milliseconds that leaving may take. */
const LEAVE_PATIENCE = 1_000;

/** For the option `placement` of the broker. */
type Placement = MemberPlacement | DoorwayPlacement;

/** What a member needs of its broker. */
export interface MemberBroker {
  accept(connection: ExternalConnection, listener: string): void;
  /** Client identifiers of all sessions. */
  clientIds(): Iterable<string>;
}

/** What joining has made. */
export interface MemberParts {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly self: ViewMember;
  /** The first view that this member is in. */
  readonly first: StoredView;
  readonly store: ClusterStore;
  /** Closed by `leave`. */
  readonly nats: NatsConnection;
  readonly watch: ConnectionWatch;
  readonly subjects: ClusterSubjects;
  /** One line for the log. */
  said(line: string): void;
}

export class ClusterMember {
  readonly id: number;
  readonly bus: MeshBus;
  readonly placement: Placement;
  /** Resolves when the others have declared this member dead: its broker must close, and may join again. */
  readonly ended: Promise<void>;
  readonly #parts: MemberParts;
  readonly #mesh: NatsMesh;
  readonly #homes: PartitionHomes;
  readonly #membership: Membership;
  readonly #trouble: BucketTrouble;
  readonly #certainty: Certainty;
  readonly #proposals: Proposals = new Proposals(systemClock, () => this.#membership.consider());
  readonly #steering: Steering = new Steering(this.#proposals);
  /** Where partitions are shards. */
  readonly #shards: ShardSite | undefined;
  readonly #whenAdmitted: Promise<void>;
  #admitted = (): void => {};
  #hasEnded = (): void => {};
  #broker: MemberBroker | undefined;
  /** Losing the connection is no news then. */
  #isLeaving = false;

  constructor(parts: MemberParts) {
    const { self, first, watch, subjects, said } = parts;
    this.#parts = parts;
    this.id = self.id;
    this.#whenAdmitted = new Promise((resolve) => {
      this.#admitted = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#hasEnded = resolve;
    });
    this.#homes = new PartitionHomes(self.id, first.view);
    this.#mesh = new NatsMesh(self, subjects, systemClock);
    this.bus = this.#makeBus();
    this.#shards = first.view.epochs === undefined ? undefined : this.#makeShards();
    this.placement = this.#shards?.placement ?? new MemberPlacement(this.#homes, this.bus);
    this.#membership = this.#makeMembership();
    this.#trouble = new BucketTrouble(this.#membership.lease, said);
    this.#certainty = new Certainty(this.#membership.lease);
    subjects.listen((heartbeat) => this.#membership.heard(heartbeat));
    subjects.receive(self, (bytes) => this.#mesh.received(bytes));
    this.#viewed(first.view);
    watch.start({ lost: () => this.#busIsLost(), back: () => this.#busIsBack() });
  }

  /** Before the broker starts. */
  attach(broker: MemberBroker): void {
    this.#broker = broker;
  }

  /** Where partitions are shards: makes the brokers of those that this member gets. Before the broker starts. */
  host(openShard: OpenShard): void {
    this.#shards?.host(openShard);
  }

  /** For stores of shards. */
  get nats(): NatsConnection {
    return this.#parts.nats;
  }

  report(): ClusterReport {
    const { cluster, self, nats, watch } = this.#parts;
    const { members, owners, epochs, wishes } = this.#homes.view;
    const membership = this.#membership;
    return {
      name: cluster,
      isConnected: watch.isThere,
      isCertain: membership.lease.holds,
      server: nats.getServer(),
      unserved: owners.filter((owner) => owner === null).length,
      members: members.map((one) => ({
        id: one.id,
        name: one.name,
        version: one.version,
        state: one.isReady ? membership.stateOf(one) : "joining",
        isSelf: one.run === self.run,
        partitions: owners.filter((owner) => owner === one.id).length,
        silence: membership.silence(one),
        unconfirmed: this.#mesh.unconfirmed(one.id),
        isDraining: one.isDraining === true,
      })),
      partitions: owners.map((owner, partition) => ({
        partition,
        owner: owner ?? undefined,
        run: epochs?.[partition],
        wished: wishes?.[partition],
      })),
    };
  }

  /** Number of partitions of the cluster. */
  get partitions(): number {
    return this.#parts.first.view.owners.length;
  }

  /** The partition that a client belongs to. */
  homeOf(clientId: string): number {
    return partitionOf(clientId, this.#parts.first.view);
  }

  /** Where partitions are shards: closes those of this member, and takes it out of the view. Before the broker stops. */
  async giveAway(): Promise<void> {
    this.#isLeaving = true;
    await this.#shards?.close();
    await this.#membership.leave(LEAVE_PATIENCE);
  }

  /** After the broker has stopped. */
  async leave(): Promise<void> {
    const { nats, watch } = this.#parts;
    await this.giveAway();
    if (watch.isThere) await Promise.race([nats.drain(), sleep(LEAVE_PATIENCE)]);
    await nats.close();
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #makeBus(): MeshBus {
    return new MeshBus({
      self: this.id,
      transport: this.#mesh,
      report: () => this.report(),
      accept: (connection, listener) => {
        if (this.#broker === undefined) connection.destroy();
        else this.#broker.accept(connection, listener);
      },
      whenAdmitted: () => {
        this.#membership.ready();
        return Promise.race([this.#whenAdmitted, this.ended]);
      },
      whenCertain: () => this.#certainty.when(),
      steering: this.#steering,
    });
  }

  #makeMembership(): Membership {
    const { self, first, store, watch, subjects, said } = this.#parts;
    return new Membership({
      self,
      first,
      store,
      clock: systemClock,
      timing: TIMING,
      send: (heartbeat) => subjects.sendHeartbeat(heartbeat),
      isBusThere: () => watch.isThere,
      viewed: (view) => this.#viewed(view),
      wish: (view) => this.#proposals.wish(view) ?? this.#shards?.keeper.wish(view),
      vacant: (among, most) => this.#homes.release(among, most, this.#broker?.clientIds() ?? []),
      kept: (partitions) => this.#homes.kept(partitions),
      ended: () => {
        void this.#shards?.abandon();
        this.#hasEnded();
        void this.bus.stop();
      },
      said,
      problem: (error) => this.#trouble.occurred(error),
    });
  }

  #makeShards(): ShardSite {
    const { self, nats, watch, cluster, subjects, said } = this.#parts;
    return new ShardSite({
      self: self.id,
      bus: this.bus,
      shardBus: new ShardSubjects(nats, watch, cluster, subjects.longest),
      clock: systemClock,
      view: () => this.#homes.view,
      whenCertain: () => this.#certainty.when(),
      report: () => this.report(),
      steering: this.#steering,
      wishes: () => this.#membership.consider(),
      said,
    });
  }

  #viewed(view: View): void {
    this.#homes.viewed(view);
    this.#mesh.setMembers(view.members);
    this.bus.setMembers(view.members);
    this.#shards?.viewed(view);
    const { self } = this.#parts;
    if (view.members.some(({ run, isReady }) => run === self.run && isReady)) this.#admitted();
  }

  #busIsLost(): void {
    if (!this.#isLeaving) this.#parts.said("the connection to NATS is lost: what is for other members waits");
  }

  #busIsBack(): void {
    this.#parts.said(`connected to NATS again: ${this.#parts.nats.getServer()}`);
    this.#membership.busIsBack();
    this.#mesh.busIsBack();
    this.#shards?.busIsBack();
  }
}
