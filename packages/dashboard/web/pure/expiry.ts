// When a session that is away ends.

export interface Expiring {
  readonly connected: boolean;
  /** ISO 8601 */
  readonly disconnectedAt?: string | undefined;
  /** Seconds; null: never. */
  readonly expiryInterval: number | null;
}

/** Seconds that are left; undefined: nothing ends it at present. */
export function expiresIn({ connected, disconnectedAt, expiryInterval }: Expiring, now: number): number | undefined {
  if (connected || expiryInterval === null || disconnectedAt === undefined) return undefined;
  return Math.max(0, expiryInterval - (now - Date.parse(disconnectedAt)) / 1_000);
}
