export type {
  DeliveryState,
  QueueEntry,
  SessionRecord,
  SessionSnapshot,
  StoredMessage,
  StoredWill,
  SubscriptionRecord,
} from "./facts.ts";
export { type Millis, NEVER, type Seconds } from "./time.ts";
export { ALLOWED, DENIED, isAllowed, type Verdict } from "./verdict.ts";
