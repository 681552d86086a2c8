// How long is what. All clocks are compared with themselves only; one promise leans on their rates: `safe` on the clock of
// one member is over before `hold` on that of another.

/** Milliseconds. */
export interface Timing {
  /** Between two heartbeats, and two renewals of the lease. */
  readonly beat: number;
  /** Of silence, after which a member is away. */
  readonly away: number;
  /** After the beginning of a renewal, while the lease holds. */
  readonly safe: number;
  /** For which a lease must not be renewed before another member may revoke it. */
  readonly hold: number;
}

export const TIMING: Timing = { beat: 500, away: 1_000, safe: 1_500, hold: 2_000 };
