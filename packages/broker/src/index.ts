export { Broker, type BrokerState, createBroker } from "./broker.ts";
export { type Clock, systemClock } from "./clock.ts";
export type { Placement } from "./doorway.ts";
export { BrokerError, type BrokerErrorCode } from "./errors.ts";
export type { BrokerEvent } from "./events.ts";
export type { Metrics } from "./metrics.ts";
export {
  type BrokerLimits,
  type BrokerOptions,
  DEFAULT_LIMITS,
  type ListenerOptions,
  type SessionPolicy,
  type SysOptions,
} from "./options.ts";
export type { ShareStrategy } from "./shared-groups.ts";
export { VERSION } from "./version.ts";
export { type WarmUpOptions, warmUp } from "./warm-up.ts";
