// Where the doorway of a process passes its connections on, for the broker's option `placement`: to a shard of this
// process, or over a link to the doorway of the process that has the shard. The doorway serves no client itself.
import { homeOf, type MeshBus, RelayConnection } from "@wrenmq/cluster";
import type { Connection, ConnectionHandler } from "@wrenmq/transport";
import type { View } from "../membership/view.ts";

/** Serves connections of clients of a shard; undefined: it refuses this one. */
export type TakeClient = (connection: Connection, listener: string) => ConnectionHandler | undefined;

export interface DoorwayParts {
  /** Number of this member. */
  readonly self: number;
  view(): View;
  readonly bus: Pick<MeshBus, "relay">;
}

export class DoorwayPlacement {
  readonly #parts: DoorwayParts;
  readonly #served = new Map<number, TakeClient>();

  constructor(parts: DoorwayParts) {
    this.#parts = parts;
  }

  /** A shard of this process serves its clients from now on. @returns ends it */
  serve(shard: number, take: TakeClient): () => void {
    this.#served.set(shard, take);
    return () => {
      if (this.#served.get(shard) === take) this.#served.delete(shard);
    };
  }

  isHome(): boolean {
    return false;
  }

  isHomeless(): boolean {
    return true;
  }

  /** @returns lost: nobody serves the client's shard at present */
  handOver(
    connection: Connection,
    { clientId, listener }: { readonly clientId: string; readonly listener: string },
    head: Uint8Array,
  ): ConnectionHandler | "lost" {
    const { view, self, bus } = this.#parts;
    const { owners } = view();
    // A client without an identifier gets one from whoever serves it.
    const shard = clientId === "" ? this.#anyShard(owners) : homeOf(clientId, owners.length);
    if (shard === undefined) return "lost";
    const take = this.#served.get(shard);
    if (take !== undefined) {
      const handler = take(connection, listener);
      if (handler === undefined) return "lost";
      handler.data(head, 0, head.length);
      return handler;
    }
    // Two processes with different views would pass it to and fro.
    if (connection instanceof RelayConnection) return "lost";
    const owner = owners[shard];
    if (owner === undefined || owner === null || owner === self) return "lost";
    return bus.relay(owner, connection, listener, head) ?? "lost";
  }

  #anyShard(owners: View["owners"]): number | undefined {
    const served = [...this.#served.keys()];
    if (served.length > 0) return served[Math.floor(Math.random() * served.length)];
    const owned = owners.flatMap((owner, shard) => (owner === null ? [] : [shard]));
    return owned[Math.floor(Math.random() * owned.length)];
  }
}
