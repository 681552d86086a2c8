// The links of one run of a shard: in memory to the shards of the same process, over NATS to the others.
import type { Clock, MeshMember, MeshTransport } from "@wrenmq/cluster";
import type { Accept, ExternalConnection } from "@wrenmq/transport";
import { NatsMesh } from "../links/nats-mesh.ts";
import type { View } from "../membership/view.ts";
import type { LocalLinks } from "./local-links.ts";

/** What carries the messages of links to a run of a shard. */
export interface ShardBus {
  readonly isThere: boolean;
  readonly longest: number;
  send(to: MeshMember, message: Uint8Array): void;
  receive(self: MeshMember, received: (bytes: Uint8Array) => void): () => void;
}

export interface ShardMeshParts {
  /** The shard and its run. */
  readonly self: MeshMember;
  readonly view: View;
  readonly bus: ShardBus;
  readonly local: LocalLinks;
  readonly clock: Clock;
  /** The mesh is closed. */
  over(mesh: ShardMesh): void;
}

export class ShardMesh implements MeshTransport {
  readonly #parts: ShardMeshParts;
  readonly #nats: NatsMesh;
  #ends: (() => void)[] = [];

  constructor(parts: ShardMeshParts) {
    const { self, bus, clock } = parts;
    this.#parts = parts;
    this.#nats = new NatsMesh(self, bus, clock);
    this.viewed(parts.view);
  }

  /** The links to runs that are over end. */
  viewed(view: View): void {
    this.#nats.setMembers(runsIn(view));
  }

  busIsBack(): void {
    this.#nats.busIsBack();
  }

  async listen(accept: Accept): Promise<void> {
    const { self, bus, local } = this.#parts;
    this.#ends = [local.listen(self.id, accept), bus.receive(self, (bytes) => this.#nats.received(bytes))];
    await this.#nats.listen(accept);
  }

  async dial(shard: number): Promise<ExternalConnection> {
    return this.#parts.local.dial(shard) ?? this.#nats.dial(shard);
  }

  async close(): Promise<void> {
    const { local: _local, over } = this.#parts;
    const [endLocal, ...rest] = this.#ends;
    this.#ends = [];
    endLocal?.();
    await this.#nats.close();
    for (const end of rest) end();
    over(this);
  }
}

/** The runs of shards that have an owner. */
function runsIn({ owners, epochs = [] }: View): readonly MeshMember[] {
  return owners.flatMap((owner, id) => (owner === null ? [] : [{ id, run: epochs[id] ?? 0 }]));
}
