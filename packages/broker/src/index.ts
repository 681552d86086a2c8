export type { ClusterReport, ClusterSteering, MemberReport, PartitionReport } from "@wrenmq/cluster";
export { Broker, type BrokerChange, type BrokerState, createBroker, type PreparedChange } from "./broker.ts";
export type { Placement } from "./clustering/client-placement.ts";
export { sumMetrics } from "./clustering/summed-metrics.ts";
export type { ClientTap } from "./connections/connection-taps.ts";
export type { DrainOptions, DrainState } from "./connections/drain.ts";
export type { BrokerEvent } from "./events.ts";
export type { Ban, BanKind } from "./limits/ban-list.ts";
export { type BrokerLimits, DEFAULT_LIMITS, type SessionPolicy } from "./limits/limits.ts";
export type { ListenerOptions } from "./listeners/listener-options.ts";
export type { ListenerReport } from "./listeners/listeners.ts";
export type { Operations } from "./operations/operations.ts";
export {
  type ConnectionReport,
  type InflightReport,
  type QueueReport,
  SessionView,
} from "./operations/session-view.ts";
export type { Outcome, RecipientReport, TopicRecipients } from "./operations/topic-recipients.ts";
export type { AcceptOptions, BrokerOptions } from "./options.ts";
export type { HookAnswer, PluginFailure, PluginReport } from "./plugins/plugin-host.ts";
export type { MetricName, Metrics } from "./reporting/metrics.ts";
export type { SysOptions } from "./reporting/sys-topics.ts";
export type { ShareStrategy } from "./routing/shared-groups.ts";
export { BrokerError, type BrokerErrorCode } from "./runtime/broker-error.ts";
export { type Clock, systemClock } from "./runtime/clock.ts";
export { silentLogger } from "./runtime/logger.ts";
export { SimulatedClock } from "./runtime/simulated-clock.ts";
export { VERSION } from "./runtime/version.ts";
export type { Drop } from "./sessions/drop-history.ts";
export type { DeliveryFacts, MessageTap, QueueFacts } from "./sessions/message-taps.ts";
export { type WarmUpOptions, warmUp } from "./warm-up.ts";
