// What a file store can be told, and what it has to tell.
import type { Problem } from "./recovery/recovery.ts";

export interface FileStoreOptions {
  /** The directory; it is made when it is not there. It belongs to the store alone. */
  readonly path: string;
  /**
   * `batch`: `apply` returns when the operating system has the batch: it survives the end of the process, however it
   * ends. `fsync`: the promise of `apply` resolves when the batch is on disk: it survives a power failure.
   */
  readonly durability: "batch" | "fsync";
  /** What to do when bytes are not what was written: `refuse` (default) to open, or `setAside` the damaged files. */
  readonly onDamage?: "refuse" | "setAside";
  /** Bytes that the store may take on disk; without it as much as there is. */
  readonly maxBytes?: number;
  /** Size at which a new file is started. Default 16 MiB, and an eighth of `maxBytes` at most. */
  readonly segmentBytes?: number;
  /** Told what an operator should know. */
  readonly onNotice?: (notice: FileStoreNotice) => void;
}

export type FileStoreNotice =
  /** The end of the journal had not got to the disk when the machine stopped. Nothing that was on disk is missing. */
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
  /** Files could not be cleaned up: the store works, but takes more and more room until it is opened again. */
  | { readonly notice: "notCleaned"; readonly error: Error };

export const DEFAULT_SEGMENT_BYTES: number = 16 * 1024 * 1024;
