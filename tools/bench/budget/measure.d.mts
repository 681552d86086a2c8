/** What routing a message leaves on the heap, measured over many messages of a QoS. */
export interface Allocation {
  readonly bytesPerMessage: number;
  /** Collections while it was measured: with any, the figure means nothing. */
  readonly collections: number;
  readonly routed: number;
  readonly messages: number;
}

export function allocationPerMessage(qos: number): Promise<Allocation>;

/** Heap and external bytes that the broker keeps for a client which is connected and silent. */
export function bytesPerIdleConnection(
  count: number,
): Promise<{ readonly bytes: number; readonly connections: number }>;
