export type { Clock } from "./clock.ts";
export type { ReplicatedStoreNotice, ReplicatedStoreOptions } from "./options.ts";
export { ReplicatedStore, type ReplicationState } from "./replicated-store.ts";
export type { Appended, JournalStream, StreamState } from "./stream/journal-stream.ts";
