// Counts of values, for Prometheus by upper bounds, for people by percentiles.
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/** Upper bounds in seconds, where nothing else is said. */
export const BOUNDS: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Counts by upper bound, as Prometheus defines histograms. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  count: number = 0;
  sum: number = 0;

  /** @param bounds seconds, ascending */
  constructor(bounds: readonly number[] = BOUNDS) {
    this.bounds = bounds;
    this.counts = bounds.map(() => 0);
  }

  /** @param value seconds */
  observe(value: number): void {
    this.count++;
    this.sum += value;
    const at = this.bounds.findIndex((bound) => value <= bound);
    if (at >= 0) this.counts[at] = (this.counts[at] ?? 0) + 1;
  }

  /** For each bound the number of values up to it. */
  cumulative(): number[] {
    let total = 0;
    return this.counts.map((count) => (total += count));
  }
}

/** Percentiles with three digits, in constant memory. */
export class Percentiles {
  readonly #histogram: RecordableHistogram = createHistogram();

  /** @param value seconds */
  observe(value: number): void {
    this.#histogram.record(Math.max(1, Math.round(value * 1e9)));
  }

  /**
   * @param percent such as 99
   * @returns seconds; undefined: there is no value
   */
  at(percent: number): number | undefined {
    return this.#histogram.count === 0 ? undefined : this.#histogram.percentile(percent) / 1e9;
  }

  reset(): void {
    this.#histogram.reset();
  }
}
