/** What routing a message leaves on the heap, measured over many messages of a QoS. */
export interface Allocation {
  readonly bytesPerMessage: number;
  /** Collections while it was measured: with any, the figure means nothing. */
  readonly collections: number;
  readonly routed: number;
  readonly messages: number;
}

/**
 * @param topics known: each publisher has one; unique: no message has one that was there before
 * @param past watched: somebody has watched all that can be watched, and does so no more
 */
export function allocationPerMessage(qos: number, topics?: "known" | "unique", past?: "watched"): Promise<Allocation>;

/** The same by function: name and bytes per message, most first. */
export function allocationSites(qos: number, topics?: "known" | "unique"): Promise<[string, number][]>;

/**
 * Heap and external bytes that the broker keeps for a client which is connected and silent.
 * @param passwordLength bytes of the password in its CONNECT; 0 (default): it has none
 */
export function bytesPerIdleConnection(
  transport: "tcp" | "ws" | "tls",
  count: number,
  passwordLength?: number,
): Promise<{ readonly bytes: number; readonly connections: number }>;

/** Heap and external bytes that the broker keeps of topics. */
export function topicMemory(): Promise<{
  /** Of all that came once, together. */
  readonly unique: number;
  /** Of each that came again and again. */
  readonly perKnown: number;
}>;
