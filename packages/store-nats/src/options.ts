// The options of a replicated store, and what it reports to the operator.
import type { NatsConnection } from "@nats-io/transport-node";
import type { FileStoreNotice } from "@wrenmq/store-file";
import type { Clock } from "./clock.ts";
import type { JournalStream } from "./stream/journal-stream.ts";

export interface ReplicatedStoreOptions {
  /** The directory of the local copy, which belongs to the store alone. What is in it is removed at each opening. */
  readonly directory: string;
  /** Name of the stream that has the journal: `WREN_<cluster>_J<partition>`. */
  readonly stream: string;
  /** To NATS, for as long as the store is open; or the stream itself. */
  readonly connection: NatsConnection | JournalStream;
  /** Of the stream, when it is made: on how many NATS servers it is. */
  readonly replicas: number;
  /** Who opens the store, for those who are deposed by it: the member and its run. */
  readonly owner: string;
  /**
   * Another owner has taken over. Called once; nothing is acknowledged any more, and every `apply` is rejected with
   * ERR_STORE_DEPOSED.
   */
  readonly onDeposed: () => void;
  /** Bytes that the store may use on disk, and about as many in the stream. Default: no limit. */
  readonly maxBytes?: number;
  /**
   * Bytes at which a new file is begun. The journal is up to twice as large as what is needed plus two files, and is read
   * as a whole by who takes over. Default 4,194,304, and at most an eighth of `maxBytes`.
   */
  readonly segmentBytes?: number;
  /**
   * Bytes that may wait for the stream to take them, in memory. When there are more a batch is refused with
   * ERR_STORE_FULL. Default 16,777,216.
   */
  readonly maxPendingBytes?: number;
  /** Milliseconds that `close` waits for what the stream has not acknowledged. Default 5,000. */
  readonly closeTimeout?: number;
  /** Called with what the operator should know. Default: nothing is reported. */
  readonly onNotice?: (notice: ReplicatedStoreNotice) => void;
  /** Default: that of the process. */
  readonly clock?: Clock;
}

export type ReplicatedStoreNotice =
  | FileStoreNotice
  /** The stream does not take messages: what is written waits, and is tried again. Told once. */
  | { readonly notice: "waiting"; readonly stream: string; readonly reason: string }
  /** The stream takes messages again. */
  | { readonly notice: "goesOn"; readonly stream: string }
  /** Messages that are not needed could not be removed from the stream, which grows until they are. Told once. */
  | { readonly notice: "notPurged"; readonly stream: string; readonly reason: string };

export const DEFAULT_SEGMENT_BYTES: number = 4 * 1024 * 1024;
export const DEFAULT_PENDING_BYTES: number = 16 * 1024 * 1024;
export const DEFAULT_CLOSE_TIMEOUT = 5_000;
/** Bytes of a message at most: larger ones are no cheaper, and hold others up. */
export const LONGEST_MESSAGE: number = 512 * 1024;
