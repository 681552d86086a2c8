// Where the clients of a broker are served, for its option `placement`: here, or by a member that the connection is
// relayed to.
import { type MeshBus, RelayConnection } from "@wrenmq/cluster";
import type { Connection, ConnectionHandler } from "@wrenmq/transport";
import type { PartitionHomes } from "./membership/partition-homes.ts";

export class MemberPlacement {
  readonly #homes: PartitionHomes;
  readonly #bus: Pick<MeshBus, "relay">;
  #isRefusing = false;

  constructor(homes: PartitionHomes, bus: Pick<MeshBus, "relay">) {
    this.#homes = homes;
    this.#bus = bus;
  }

  /** Whatever comes is for this broker, which refuses it. */
  refuseAll(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  isHome(clientId: string): boolean {
    return this.#isRefusing || this.#homes.isHome(clientId);
  }

  /** The same question, asked again when the client is admitted: homes may have moved since its connection came. */
  isStillHome(clientId: string): boolean {
    return this.#homes.isHome(clientId);
  }

  isHomeless(): boolean {
    return !this.#isRefusing && this.#homes.isHomeless();
  }

  /** @returns lost: there is no other home, or it cannot be reached at present */
  handOver(
    connection: Connection,
    { clientId, listener }: { readonly clientId: string; readonly listener: string },
    head: Uint8Array,
  ): ConnectionHandler | "lost" {
    // Two members with different views would pass it to and fro.
    if (connection instanceof RelayConnection) return "lost";
    const home = this.#homes.elsewhere(clientId);
    if (home === undefined) return "lost";
    return this.#bus.relay(home, connection, listener, head) ?? "lost";
  }
}
