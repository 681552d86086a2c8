// The subjects of a cluster: one for the heartbeats that all members hear, and one for each member's links. What NATS
// loses is not repeated here, as links send again and heartbeats follow each other.
import type { NatsConnection } from "@nats-io/transport-node";
import type { MeshMember } from "@wrenmq/cluster";
import type { LinkBus } from "../links/nats-mesh.ts";
import type { ConnectionWatch } from "./connection-watch.ts";

/** Bytes of the longest message if the server does not say: what servers accept by default. */
const LONGEST = 1024 * 1024;

export class ClusterSubjects implements LinkBus {
  readonly longest: number;
  readonly #nats: NatsConnection;
  readonly #watch: ConnectionWatch;
  readonly #cluster: string;
  readonly #listeners = new Set<(heartbeat: string) => void>();

  constructor(nats: NatsConnection, watch: ConnectionWatch, cluster: string) {
    this.longest = nats.info?.max_payload ?? LONGEST;
    this.#nats = nats;
    this.#watch = watch;
    this.#cluster = cluster;
    nats.subscribe(this.#heartbeats, {
      callback: (error, message) => {
        if (error === null) for (const heard of this.#listeners) heard(message.string());
      },
    });
  }

  get isThere(): boolean {
    return this.#watch.isThere;
  }

  /** Calls back for each heartbeat, also those of this member. @returns a function that stops it */
  listen(heard: (heartbeat: string) => void): () => void {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  sendHeartbeat(heartbeat: string): void {
    this.#publish(this.#heartbeats, heartbeat);
  }

  /** Calls back for each message of a link to this member. @param received its bytes are valid during the call */
  receive(self: MeshMember, received: (bytes: Uint8Array) => void): void {
    this.#nats.subscribe(this.#linksOf(self), {
      callback: (error, message) => {
        if (error === null) received(message.data);
      },
    });
  }

  send(to: MeshMember, message: Uint8Array): void {
    this.#publish(this.#linksOf(to), message);
  }

  get #heartbeats(): string {
    return `wren.${this.#cluster}.hb`;
  }

  /** With the run: what was for a process that had this number before must not reach the one that has it now. */
  #linksOf({ id, run }: MeshMember): string {
    return `wren.${this.#cluster}.m.${id}.${run}`;
  }

  #publish(subject: string, message: Uint8Array | string): void {
    try {
      this.#nats.publish(subject, message);
    } catch {
      // The connection is closing.
    }
  }
}
