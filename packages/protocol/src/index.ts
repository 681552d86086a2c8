export { announce, type Capabilities, DEFAULT_CAPABILITIES } from "./connection/capabilities.ts";
export { ConnectionState } from "./connection/connection-state.ts";
export {
  type ConnectAccepted,
  type ConnectAnswer,
  type ConnectContinued,
  type ConnectionEnd,
  type ConnectRefused,
  DEFERRED,
  type Effects,
  PARKED,
  type Parkable,
  PUBLISH_PARKED,
  type PublishOutcome,
  type ReauthenticateAnswer,
} from "./connection/effects.ts";
export { PEEK_MORE, peekClientId } from "./connection/peek-client-id.ts";
export { type ConnectionSettings, ServerConnection } from "./connection/server-connection.ts";
export { ALLOWED, DENIED, isAllowed, type Verdict } from "./connection/verdict.ts";
export { Counters, countDrop, type DropReason } from "./counters.ts";
export { type Dialect, dialectOf } from "./dialect.ts";
export { Arena } from "./memory/arena.ts";
export { copyBytes } from "./memory/copy-bytes.ts";
export { FrequentCache, type FrequentCacheLimits } from "./memory/frequent-cache.ts";
export { mix } from "./memory/mix.ts";
export { Outbox, type OutboxOwner } from "./memory/outbox.ts";
export { encodePublish, type Layout, Message, PublishFrame } from "./message/message.ts";
export type { StoredMessage } from "./message/stored-message.ts";
export { Topic } from "./message/topic.ts";
export { TopicTable } from "./message/topic-table.ts";
export type { TopicLimits } from "./message/valid-name.ts";
export { Delivery, type DeliveryOptions } from "./session/delivery.ts";
export type {
  DeliveryState,
  QueueEntry,
  SessionRecord,
  SessionSnapshot,
  StoredWill,
  SubscriptionRecord,
} from "./session/facts.ts";
export { HeldIdentifiers } from "./session/held-identifiers.ts";
export { Link, type LinkOptions, type LinkOwner } from "./session/link.ts";
export { AckKind, OUTBOUND_NEXT, OutboundState, type OutboundStep } from "./session/outbound-transitions.ts";
export { OutboundWindow } from "./session/outbound-window.ts";
export { type FactSink, Session, type SessionEvents, type SessionOptions } from "./session/session.ts";
export { DeliveryResult, type SessionLimits } from "./session/session-limits.ts";
export { type LoadPage, SessionQueue } from "./session/session-queue.ts";
export { type Millis, NEVER, type Seconds } from "./time.ts";
