// What a store needs of the stream that has its journal. The stream's messages have numbers without gaps, from 1 on;
// only old ones go.

export interface StreamState {
  /** Of the oldest message; one more than `last` when there is none. */
  readonly first: number;
  /** Of the newest message that there was; 0: there was none. */
  readonly last: number;
}

/** The message has this number; or it was refused, as another message had the number before it. */
export type Appended = { readonly sequence: number } | { readonly refusedAfter: number | undefined };

/**
 * A stream, by way of a network: an operation that fails may have been done, and may still be done later. Errors mean
 * that it is to be tried again, except a `StoreError`, which says that this is of no use.
 */
export interface JournalStream {
  /** Of messages, for errors. */
  readonly name: string;
  /** Bytes of the longest message. */
  readonly longest: number;
  /** Makes the stream if there is none. */
  create(): Promise<void>;
  state(): Promise<StreamState>;
  /** Appends a message if the newest one has this number: that is the fence between owners. */
  append(message: Uint8Array, expected: number): Promise<Appended>;
  /** One message; undefined: it is not there, any more or yet. */
  message(sequence: number): Promise<Uint8Array | undefined>;
  /**
   * Reads messages in order, from one to another.
   * @param each its bytes are valid during the call; what it throws ends the reading
   */
  read(from: number, to: number, each: (sequence: number, message: Uint8Array) => void): Promise<void>;
  /** Removes all messages before this one. */
  purge(first: number): Promise<void>;
  /** Rejects what is in progress. */
  close(): void;
}
