export { MemoryStore } from "./memory-store.ts";
export {
  type Homes,
  type OriginRecord,
  type OutboxEntry,
  type OutboxMessage,
  type OutboxTarget,
  originKey,
  type RetainedStamp,
} from "./outbox.ts";
export {
  NO_MESSAGE,
  type QueuedMessage,
  type Store,
  StoreError,
  type StoreErrorCode,
  type StoreOp,
  type StoreStats,
} from "./store.ts";
