// What the supervisor and its workers say to each other. Bytes and sockets travel with the messages as they are.
import type { TransportName } from "@wrenmq/transport";

/** A connection for another worker; its socket comes with the message. */
export interface HandOver {
  readonly kind: "handOver";
  /** The worker that serves the client. */
  readonly to: number;
  readonly listener: string;
  readonly transport: TransportName;
  readonly source: { readonly address: string; readonly port: number | undefined };
  /** What was read of it. */
  readonly head: Uint8Array;
}

export type FromWorker =
  | HandOver
  /** It listens: what to serve? */
  | { readonly kind: "begun" }
  /** Clients may connect. */
  | { readonly kind: "ready"; readonly addresses: readonly (readonly [listener: string, address: string])[] }
  /** It cannot start, for a reason to tell the user. */
  | { readonly kind: "failed"; readonly line: string }
  /**
   * It is ready to serve the configuration of `configure`, or, for a reason to tell the user, it is not and goes on as
   * before; it has done what `decide` said.
   */
  | { readonly kind: "changed"; readonly problem: string | undefined };

/**
 * A configuration is the whole one: what falls to the worker it knows itself. The first one answers `begun`; any other is
 * got ready, and served (or given up) when `decide` says so.
 */
export type ToWorker<Config> =
  | HandOver
  | { readonly kind: "stop" }
  | { readonly kind: "configure"; readonly config: Config }
  | { readonly kind: "decide"; readonly isCommit: boolean };

/** Where a worker finds what stays the same as long as the supervisor lives. */
export const WORKER_ENV = { self: "WRENMQ_WORKER", count: "WRENMQ_WORKERS", folder: "WRENMQ_MESH" } as const;
