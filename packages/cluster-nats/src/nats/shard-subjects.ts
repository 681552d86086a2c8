// The subjects of the links between shards: one for each run of a shard.
import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import type { MeshMember } from "@wrenmq/cluster";
import type { LinkBus } from "../links/nats-mesh.ts";
import type { ConnectionWatch } from "./connection-watch.ts";

export class ShardSubjects implements LinkBus {
  readonly longest: number;
  readonly #nats: NatsConnection;
  readonly #watch: ConnectionWatch;
  readonly #cluster: string;

  constructor(nats: NatsConnection, watch: ConnectionWatch, cluster: string, longest: number) {
    this.longest = longest;
    this.#nats = nats;
    this.#watch = watch;
    this.#cluster = cluster;
  }

  get isThere(): boolean {
    return this.#watch.isThere;
  }

  /**
   * Calls back for each message of a link to this run of a shard.
   * @param received its bytes are valid during the call
   * @returns ends it
   */
  receive(self: MeshMember, received: (bytes: Uint8Array) => void): () => void {
    const subscription: Subscription = this.#nats.subscribe(this.#subject(self), {
      callback: (error, message) => {
        if (error === null) received(message.data);
      },
    });
    return () => subscription.unsubscribe();
  }

  send(to: MeshMember, message: Uint8Array): void {
    try {
      this.#nats.publish(this.#subject(to), message);
    } catch {
      // The connection is closing.
    }
  }

  #subject({ id, run }: MeshMember): string {
    return `wren.${this.#cluster}.s.${id}.${run}`;
  }
}
