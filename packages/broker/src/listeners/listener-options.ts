// The options of one listener.
import type { ListenerConfig } from "@wrenmq/transport";
import type { BrokerLimits } from "../limits/limits.ts";

export type ListenerOptions = (ListenerConfig | { readonly type: "external" }) & {
  /** Connections of this listener; 0 or absent: no limit. */
  readonly maxConnections?: number;
  /** Names of the plugins that decide about clients of this listener. Default: all. */
  readonly plugins?: readonly string[];
  /**
   * Overrides of the broker's limits. Limits of queues apply to the sessions whose clients used this listener last,
   * also while they are not connected. `maxConnections`, `maxSessions` and the limits of retained messages belong to
   * the broker and cannot be overridden here. Default: none.
   */
  readonly limits?: Partial<BrokerLimits>;
};

/** The limits for clients of a listener. The announced Maximum Packet Size is not larger than its transport accepts. */
export function limitsOf(broker: BrokerLimits, listener: ListenerOptions): BrokerLimits {
  const limits = { ...broker, ...listener.limits };
  const maxPayload = "websocket" in listener ? listener.websocket?.maxPayload : undefined;
  if (maxPayload === undefined || maxPayload >= limits.maximumPacketSize) return limits;
  return { ...limits, maximumPacketSize: maxPayload };
}
