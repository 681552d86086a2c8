// Makes rates and columns for plots out of samples of counters.

/** A line of `stats.watch`: counters since the start. */
export interface Sample {
  readonly at: number;
  readonly messages: { readonly received: number; readonly sent: number; readonly dropped: number };
  readonly bytes: { readonly received: number; readonly sent: number };
  readonly droppedByReason: Readonly<Record<string, number>>;
  readonly connections: number;
  readonly sessions: number;
  readonly subscriptions: number;
  readonly retained: number;
  readonly queued: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly loopDelayP99: number;
  /** Seconds; absent: no message was measured. */
  readonly latencyP50?: number | undefined;
  readonly latencyP99?: number | undefined;
}

export type Column = readonly (number | null)[];

/** Samples that are kept: 15 minutes of seconds. */
export const MOST_SAMPLES = 900;
/** Milliseconds between two samples that are no neighbours. */
const GAP = 5_000;

/** Adds samples that are newer than the last one. */
export function addSamples(kept: readonly Sample[], more: readonly Sample[]): Sample[] {
  const last = kept.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  const newer = more.filter(({ at }) => at > last);
  return [...kept, ...newer].slice(-MOST_SAMPLES);
}

export function column(samples: readonly Sample[], value: (sample: Sample) => number | undefined): Column {
  return samples.map((sample) => value(sample) ?? null);
}

/** Change per second; null at the beginning, after a gap, and where a counter began again. */
export function rates(samples: readonly Sample[], value: (sample: Sample) => number): Column {
  return samples.map((sample, index) => {
    const before = samples[index - 1];
    return before === undefined ? null : rate(before, sample, value);
  });
}

function rate(before: Sample, after: Sample, value: (sample: Sample) => number): number | null {
  const milliseconds = after.at - before.at;
  const change = value(after) - value(before);
  return milliseconds <= 0 || milliseconds > GAP || change < 0 ? null : (change * 1_000) / milliseconds;
}

/** The average over the last seconds; NaN: not known. */
export function recentRate(samples: readonly Sample[], value: (sample: Sample) => number, seconds = 5): number {
  const last = samples.at(-1);
  if (last === undefined) return Number.NaN;
  const first = samples.find(({ at }) => at >= last.at - seconds * 1_000);
  if (first === undefined || first === last) return Number.NaN;
  const change = value(last) - value(first);
  return change < 0 ? Number.NaN : (change * 1_000) / (last.at - first.at);
}

/** Reasons with a loss in these samples, the most frequent first. */
export function reasonsOf(samples: readonly Sample[]): { readonly reason: string; readonly count: number }[] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return [];
  return Object.entries(last.droppedByReason)
    .map(([reason, total]) => {
      const before = first.droppedByReason[reason] ?? 0;
      return { reason, count: total < before ? total : total - before };
    })
    .filter(({ count }) => count > 0)
    .toSorted((one, other) => other.count - one.count || one.reason.localeCompare(other.reason));
}

export function lastSeconds(samples: readonly Sample[], seconds: number): readonly Sample[] {
  const last = samples.at(-1)?.at ?? 0;
  return samples.filter(({ at }) => at > last - seconds * 1_000);
}
