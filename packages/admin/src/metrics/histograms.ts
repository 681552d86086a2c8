// Measures what counters do not show: the delay of the event loop, the pauses of the garbage collector, the latency of
// the store. Measuring begins when it is first asked for.
import { type IntervalHistogram, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import type { Broker } from "@wrenmq/broker";

/** Upper bounds in seconds. */
export const BOUNDS: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
/** Milliseconds between two probes of the event loop. */
const RESOLUTION = 10;

/** Counts by upper bound, as Prometheus defines histograms. */
export class Histogram {
  readonly counts: number[] = BOUNDS.map(() => 0);
  count: number = 0;
  sum: number = 0;

  /** @param value seconds */
  observe(value: number): void {
    this.count++;
    this.sum += value;
    const at = BOUNDS.findIndex((bound) => value <= bound);
    if (at >= 0) this.counts[at] = (this.counts[at] ?? 0) + 1;
  }

  /** For each bound the number of values up to it. */
  cumulative(): number[] {
    let total = 0;
    return this.counts.map((count) => (total += count));
  }
}

export class Histograms {
  readonly garbageCollection: Histogram = new Histogram();
  readonly storeCommit: Histogram = new Histogram();
  readonly #broker: Broker;
  #loop: IntervalHistogram | undefined;
  #collections: PerformanceObserver | undefined;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Begins to measure. */
  start(): void {
    if (this.#loop !== undefined) return;
    this.#loop = monitorEventLoopDelay({ resolution: RESOLUTION });
    this.#loop.enable();
    this.#collections = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.garbageCollection.observe(duration / 1000);
    });
    this.#collections.observe({ entryTypes: ["gc"] });
    this.#broker.operations.watchCommits((milliseconds) => this.storeCommit.observe(milliseconds / 1000));
  }

  close(): void {
    this.#loop?.disable();
    this.#loop = undefined;
    this.#collections?.disconnect();
    this.#broker.operations.watchCommits(undefined);
  }

  /** Seconds by which the event loop was late since measuring began. */
  eventLoopDelay(): { readonly quantiles: ReadonlyMap<number, number>; readonly count: number; readonly sum: number } {
    const loop = this.#loop;
    // A probe that is on time takes the resolution itself.
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION / 1000);
    if (loop === undefined || loop.count === 0) return { quantiles: new Map(), count: 0, sum: 0 };
    const quantiles = new Map([0.5, 0.9, 0.99, 1].map((q) => [q, late(loop.percentile(q * 100))]));
    return { quantiles, count: loop.count, sum: late(loop.mean) * loop.count };
  }
}
