// The messages between the supervisor and its workers. Bytes and handles are sent with the messages as they are.
import type { TransportName } from "@wrenmq/transport";

/** A connection for another worker; its handle comes with the message. */
export interface HandOver {
  readonly kind: "handOver";
  /** The worker that serves the client. */
  readonly to: number;
  readonly listener: string;
  readonly transport: TransportName;
  readonly source: { readonly address: string; readonly port: number | undefined };
  /** Bytes that were read from it. */
  readonly head: Uint8Array;
}

/** A question to a worker; an answer that is a stream is asked for piece by piece. */
export type QuestionToWorker =
  | { readonly kind: "ask"; readonly id: number; readonly question: unknown; readonly streams: boolean }
  | { readonly kind: "more"; readonly id: number }
  | { readonly kind: "cancel"; readonly id: number };

export type AnswerFromWorker =
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "piece"; readonly id: number; readonly values: readonly unknown[]; readonly isLast: boolean }
  | { readonly kind: "unanswered"; readonly id: number; readonly line: string };

export type FromWorker =
  | HandOver
  | AnswerFromWorker
  /** It is ready for its configuration. */
  | { readonly kind: "begun" }
  /** Clients may connect. */
  | {
      readonly kind: "ready";
      readonly addresses: readonly (readonly [listener: string, address: string])[];
      /** Names of the plugins that authenticate. */
      readonly authenticators: readonly (readonly [listener: string, plugins: readonly string[]])[];
    }
  /** It cannot start; `line` is the reason, for the user. */
  | { readonly kind: "failed"; readonly line: string }
  /**
   * The answer to `configure` and to `decide`. After `configure`: the new configuration is ready; with a `problem` (for
   * the user) it is not, and the worker goes on as before.
   */
  | { readonly kind: "changed"; readonly problem: string | undefined };

/**
 * A configuration is always the complete one; each worker knows its own part. The first answers `begun`; a later one is
 * prepared, and put into use or dropped by `decide`.
 */
export type ToWorker<Config> =
  | HandOver
  | QuestionToWorker
  | { readonly kind: "stop" }
  /** The secret of TLS session tickets is the same for all workers, and for those that replace them. */
  | { readonly kind: "configure"; readonly config: Config; readonly ticketSecret: Uint8Array }
  | { readonly kind: "decide"; readonly isCommit: boolean };

/** Environment variables with what stays the same while the supervisor lives. */
export const WORKER_ENV = { self: "WRENMQ_WORKER", count: "WRENMQ_WORKERS", folder: "WRENMQ_MESH" } as const;
