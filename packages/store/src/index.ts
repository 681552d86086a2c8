export { MemoryStore } from "./memory-store.ts";
export {
  NO_MESSAGE,
  type QueuedMessage,
  type Store,
  StoreError,
  type StoreErrorCode,
  type StoreOp,
  type StoreStats,
} from "./store.ts";
