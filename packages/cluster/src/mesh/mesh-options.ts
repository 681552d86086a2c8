// What a mesh bus is told about itself and its peers.
import type { ExternalConnection } from "@wrenmq/transport";
import type { ClusterReport, ClusterSteering } from "../cluster-bus.ts";
import type { MeshTransport } from "../transports/mesh-transport.ts";

export interface MeshOptions {
  /** Number of this broker: 0 to count - 1, or to 63 where brokers come and go. */
  readonly self: number;
  /** Number of brokers, with this one. Default: they come and go, see `setMembers`. */
  readonly count?: number;
  readonly transport: MeshTransport;
  /**
   * Milliseconds that `start` waits for the peers. Default 10,000; without `count`: until they are connected or gone.
   */
  readonly startTimeout?: number;
  /** Resolves when this broker may serve clients: `start` waits for it, too. Default: at once. */
  readonly whenAdmitted?: () => Promise<void>;
  /** See `ClusterBus.whenCertain`. Default: this broker cannot be replaced. */
  readonly whenCertain?: () => Promise<void> | undefined;
  /** See `ClusterBus.report`. Default: there is none. */
  readonly report?: () => ClusterReport;
  /** See `ClusterBus.steering`. Default: there is none. */
  readonly steering?: ClusterSteering;
  /** Serves a connection that a peer relays. Default: relays are refused. */
  readonly accept?: (connection: ExternalConnection, listener: string) => void;
}

/** A broker among those that come and go. */
export interface MeshMember {
  readonly id: number;
  /** Distinguishes processes that have had this number one after the other. */
  readonly run: number;
}
