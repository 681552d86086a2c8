// The options of a file store, and the notices that it reports to the operator.
import type { JournalMirror } from "./journal/journal-mirror.ts";
import type { Problem } from "./recovery/recovery.ts";

export interface FileStoreOptions {
  /** The directory, which belongs to the store alone. It is created if it does not exist. */
  readonly path: string;
  /**
   * `batch`: `apply` returns when the operating system has the batch, which then survives the end of the process.
   * `fsync`: the promise of `apply` resolves when the batch is on disk, where it survives a power failure.
   */
  readonly durability: "batch" | "fsync";
  /**
   * What to do when damage is found: refuse to open, or rename the damaged files and open with the rest. Default
   * "refuse".
   */
  readonly onDamage?: "refuse" | "setAside";
  /** Bytes that the store may use on disk. Default: no limit. */
  readonly maxBytes?: number;
  /** Bytes at which a new file is begun. Default 16,777,216, and at most an eighth of `maxBytes`. */
  readonly segmentBytes?: number;
  /** The directory is a cache: the store begins empty, whatever an earlier one has left there. Default false. */
  readonly beginsEmpty?: boolean;
  /** Is told of each frame that is written, but not of those of `replay`. Default: nobody is told. */
  readonly mirror?: JournalMirror;
  /** Called with what the operator should know. Default: nothing is reported. */
  readonly onNotice?: (notice: FileStoreNotice) => void;
}

export type FileStoreNotice =
  /** The last writes before the machine stopped had not reached the disk. Nothing that was on disk is missing. */
  | {
      readonly notice: "torn";
      readonly file: string;
      readonly offset: number;
      readonly bytes: number;
      readonly keptAs: readonly string[];
    }
  /** Damaged files were renamed. What could be read of them is in the store. */
  | {
      readonly notice: "setAside";
      readonly problems: readonly Problem[];
      readonly keptAs: readonly string[];
      readonly lostMessages: number;
      readonly lostSessions: number;
    }
  /** Files could not be cleaned up: the store works, but grows until it is opened again. */
  | { readonly notice: "notCleaned"; readonly error: Error };

export const DEFAULT_SEGMENT_BYTES: number = 16 * 1024 * 1024;
