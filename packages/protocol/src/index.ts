export { Arena } from "./arena.ts";
export { announce, type Capabilities, DEFAULT_CAPABILITIES } from "./capabilities.ts";
export { ConnectionState } from "./connection-state.ts";
export { copyBytes } from "./copy-bytes.ts";
export { Counters, countDrop, type DropReason } from "./counters.ts";
export { Delivery, type DeliveryOptions } from "./delivery.ts";
export { type Dialect, dialectOf } from "./dialect.ts";
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
} from "./effects.ts";
export type {
  DeliveryState,
  QueueEntry,
  SessionRecord,
  SessionSnapshot,
  StoredMessage,
  StoredWill,
  SubscriptionRecord,
} from "./facts.ts";
export { Link, type LinkOptions, type LinkOwner } from "./link.ts";
export { encodePublish, type Layout, Message, PublishFrame } from "./message.ts";
export { AckKind, OUTBOUND_NEXT, OutboundState, type OutboundStep } from "./outbound-transitions.ts";
export { OutboundWindow } from "./outbound-window.ts";
export { Outbox, type OutboxOwner } from "./outbox.ts";
export { PEEK_MORE, peekClientId } from "./peek-client-id.ts";
export { type ConnectionSettings, ServerConnection } from "./server-connection.ts";
export { type FactSink, Session, type SessionEvents, type SessionOptions } from "./session.ts";
export { DeliveryResult, type Overflow, type SessionLimits } from "./session-limits.ts";
export { type LoadPage, SessionQueue } from "./session-queue.ts";
export { type Millis, NEVER, type Seconds } from "./time.ts";
export { Topic, type TopicLimits, TopicTable } from "./topic-table.ts";
export { ALLOWED, DENIED, isAllowed, type Verdict } from "./verdict.ts";
