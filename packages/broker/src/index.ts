export { Broker, type BrokerChange, type BrokerState, createBroker, type PreparedChange } from "./broker.ts";
export type { Placement } from "./clustering/client-placement.ts";
export type { BrokerEvent } from "./events.ts";
export {
  type BrokerLimits,
  type BrokerOptions,
  DEFAULT_LIMITS,
  type ListenerOptions,
  type SessionPolicy,
  type SysOptions,
} from "./options.ts";
export type { Metrics } from "./reporting/metrics.ts";
export type { ShareStrategy } from "./routing/shared-groups.ts";
export { BrokerError, type BrokerErrorCode } from "./runtime/broker-error.ts";
export { type Clock, systemClock } from "./runtime/clock.ts";
export { VERSION } from "./version.ts";
export { type WarmUpOptions, warmUp } from "./warm-up.ts";
