// Where the doorway of a process passes its connections on, for the broker's option `placement`: to a shard of this
// process, or over a link to the doorway of the process that has the shard. The doorway serves no client itself.
import { type Clock, homeOf, type MeshBus, RelayConnection } from "@wrenmq/cluster";
import type { Connection, ConnectionHandler } from "@wrenmq/transport";
import type { View } from "../membership/view.ts";
import { WaitingRoom } from "./waiting-room.ts";

/** Serves connections of clients of a shard; undefined: it refuses this one. */
export type TakeClient = (connection: Connection, listener: string) => ConnectionHandler | undefined;

export interface DoorwayParts {
  /** Number of this member. */
  readonly self: number;
  readonly clock: Clock;
  view(): View;
  readonly bus: Pick<MeshBus, "relay">;
}

export class DoorwayPlacement {
  readonly #parts: DoorwayParts;
  readonly #served = new Map<number, TakeClient>();
  readonly #room: WaitingRoom;
  #isClosed = false;
  #isRefusing = false;

  constructor(parts: DoorwayParts) {
    this.#parts = parts;
    this.#room = new WaitingRoom(parts.clock);
  }

  /** A shard of this process serves its clients from now on. @returns ends it */
  serve(shard: number, take: TakeClient): () => void {
    this.#served.set(shard, take);
    this.#room.tryAll();
    return () => {
      if (this.#served.get(shard) === take) this.#served.delete(shard);
    };
  }

  /** Whatever comes is for the broker of the doorway, which refuses it. */
  refuseAll(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  isHome(): boolean {
    return this.#isRefusing;
  }

  isHomeless(): boolean {
    return !this.#isRefusing;
  }

  /** The view has changed. */
  viewed(): void {
    this.#room.tryAll();
  }

  /** This process serves nobody any more. */
  close(): void {
    this.#isClosed = true;
    this.#room.close();
  }

  /** @returns lost: nobody serves the client's shard, and it cannot wait */
  handOver(
    connection: Connection,
    { clientId, listener }: { readonly clientId: string; readonly listener: string },
    head: Uint8Array,
  ): ConnectionHandler | "lost" {
    if (this.#isClosed) return "lost";
    const attempt = (bytes: Uint8Array): ConnectionHandler | undefined =>
      this.#passOn(connection, clientId, listener, bytes);
    return attempt(head) ?? this.#room.enter(connection, head, attempt) ?? "lost";
  }

  #passOn(connection: Connection, clientId: string, listener: string, head: Uint8Array): ConnectionHandler | undefined {
    const { view, self, bus } = this.#parts;
    const { owners } = view();
    // A client without an identifier gets one from whoever serves it.
    const shard = clientId === "" ? this.#anyShard(owners) : homeOf(clientId, owners.length);
    const take = shard === undefined ? undefined : this.#served.get(shard);
    if (take !== undefined) {
      const handler = take(connection, listener);
      handler?.data(head, 0, head.length);
      return handler;
    }
    // Two processes with different views would pass it to and fro.
    if (shard === undefined || connection instanceof RelayConnection) return undefined;
    const owner = owners[shard];
    if (owner === undefined || owner === null || owner === self) return undefined;
    return bus.relay(owner, connection, listener, head);
  }

  #anyShard(owners: View["owners"]): number | undefined {
    const served = [...this.#served.keys()];
    if (served.length > 0) return served[Math.floor(Math.random() * served.length)];
    const owned = owners.flatMap((owner, shard) => (owner === null ? [] : [shard]));
    return owned[Math.floor(Math.random() * owned.length)];
  }
}
