// What an embedder may say about one listener.
import type { ListenerConfig } from "@wrenmq/transport";
import type { BrokerLimits } from "../limits/limits.ts";

export type ListenerOptions = (ListenerConfig | { readonly type: "external" }) & {
  /** Connections of this listener; 0 or absent: no limit. */
  readonly maxConnections?: number;
  /** Names of the plugins that are asked about clients of this listener; absent: all. */
  readonly plugins?: readonly string[];
  /**
   * What differs from the broker's limits. Those of queues hold for the sessions whose clients came by this listener last,
   * also when these are gone; `maxConnections`, `maxSessions` and those of retained messages are the broker's alone.
   */
  readonly limits?: Partial<BrokerLimits>;
};

/** The limits for clients of a listener. No packet size is announced that its transport would refuse. */
export function limitsOf(broker: BrokerLimits, listener: ListenerOptions): BrokerLimits {
  const limits = { ...broker, ...listener.limits };
  const maxPayload = "websocket" in listener ? listener.websocket?.maxPayload : undefined;
  if (maxPayload === undefined || maxPayload >= limits.maximumPacketSize) return limits;
  return { ...limits, maximumPacketSize: maxPayload };
}
