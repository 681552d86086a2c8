// The shards of one process: their runs, the links of each, and the doorway that passes connections on to them.
import {
  type Clock,
  type ClusterBus,
  type ClusterReport,
  type ClusterSteering,
  homeOf,
  MeshBus as Mesh,
  type MeshBus,
} from "@wrenmq/cluster";
import type { View } from "../membership/view.ts";
import { DoorwayPlacement, type TakeClient } from "./doorway-placement.ts";
import { LocalLinks } from "./local-links.ts";
import type { RunningShard } from "./shard-host.ts";
import { ShardKeeper } from "./shard-keeper.ts";
import { type ShardBus, ShardMesh } from "./shard-mesh.ts";

/** What a run of a shard gets. */
export interface ShardRun {
  readonly shard: number;
  /** Number of the run: no two runs of a shard have the same. */
  readonly epoch: number;
  /** How many shards there are. */
  readonly count: number;
  /** For the broker's option `bus`. */
  readonly bus: ClusterBus;
  /** For the broker's option `placement`. */
  readonly placement: { isHome(clientId: string): boolean; handOver(): "lost" };
  /** This run is not wanted any more. */
  readonly signal: AbortSignal;
  /** To be called when the store has been fenced: another run has begun. */
  lost(): void;
  /** Connections of its clients go there from now on. @returns ends it, to be called before the broker stops */
  serve(take: TakeClient): () => void;
}

/** Makes a broker with a store of its own for a run of a shard. */
export type OpenShard = (run: ShardRun) => Promise<RunningShard>;

export interface ShardSiteParts {
  /** Number of this member. */
  readonly self: number;
  /** Links between the doorways. */
  readonly bus: Pick<MeshBus, "relay">;
  readonly shardBus: ShardBus;
  readonly clock: Clock;
  view(): View;
  whenCertain(): Promise<void> | undefined;
  report(): ClusterReport;
  readonly steering: ClusterSteering;
  /** The view may have to change: see `ShardKeeper.wish`. */
  wishes(): void;
  said(line: string): void;
}

export class ShardSite {
  readonly placement: DoorwayPlacement;
  readonly keeper: ShardKeeper;
  readonly #parts: ShardSiteParts;
  readonly #local = new LocalLinks();
  readonly #meshes = new Set<ShardMesh>();
  #openShard: OpenShard | undefined;

  constructor(parts: ShardSiteParts) {
    const { self, bus, view, clock, wishes, said } = parts;
    this.#parts = parts;
    this.placement = new DoorwayPlacement({ self, view, bus, clock });
    const host = {
      open: (shard: number, epoch: number, lost: () => void, signal: AbortSignal) =>
        this.#open(shard, epoch, lost, signal),
    };
    this.keeper = new ShardKeeper({ self, host, clock, wishes, said });
  }

  /** Before this member is ready. */
  host(openShard: OpenShard): void {
    this.#openShard = openShard;
  }

  viewed(view: View): void {
    for (const mesh of this.#meshes) mesh.viewed(view);
    this.keeper.viewed(view);
    this.placement.viewed();
  }

  /** Closes all shards in order. */
  async close(): Promise<void> {
    this.placement.close();
    await this.keeper.stop();
  }

  /** Other members have all shards of this one. */
  async abandon(): Promise<void> {
    this.placement.close();
    await this.keeper.abandonAll();
  }

  busIsBack(): void {
    for (const mesh of this.#meshes) mesh.busIsBack();
  }

  async #open(shard: number, epoch: number, lost: () => void, signal: AbortSignal): Promise<RunningShard> {
    const { view, shardBus, clock, whenCertain, report, steering } = this.#parts;
    if (this.#openShard === undefined) throw new Error("this process has no room for shards");
    const count = view().owners.length;
    const mesh = new ShardMesh({
      self: { id: shard, run: epoch },
      view: view(),
      bus: shardBus,
      local: this.#local,
      clock,
      over: (one) => this.#meshes.delete(one),
    });
    this.#meshes.add(mesh);
    const bus = new Mesh({ self: shard, count, transport: mesh, whenCertain, report, steering });
    try {
      return await this.#openShard({
        shard,
        epoch,
        count,
        bus,
        placement: { isHome: (clientId) => homeOf(clientId, count) === shard, handOver: () => "lost" },
        signal,
        lost,
        serve: (take) => this.placement.serve(shard, take),
      });
    } catch (error) {
      bus.abandon();
      this.#meshes.delete(mesh);
      throw error;
    }
  }
}
