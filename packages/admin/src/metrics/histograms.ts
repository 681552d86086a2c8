// Measures what counters do not show: the delay of the event loop, the pauses of the garbage collector, the time that
// messages, the store and plugins take. Measuring begins when it is first asked for.
import { type IntervalHistogram, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import type { Broker, HookAnswer } from "@wrenmq/broker";
import { BOUNDS, Histogram, Percentiles } from "./histogram.ts";

/** Upper bounds in seconds: most messages take less than a millisecond, a plugin may take ten seconds. */
const LATENCY_BOUNDS: readonly number[] = [0.00005, 0.0001, 0.00025, ...BOUNDS];
const ANSWER_BOUNDS: readonly number[] = [...BOUNDS, 5, 10];
/** Plugins may change at every reload: those beyond this number are counted together. */
const MOST_ANSWERERS = 64;
const OTHERS = "others";
/** Milliseconds between two probes of the event loop. */
const RESOLUTION = 10;

/** The answers of one hook of a plugin. */
export interface AnswerTimes {
  readonly plugin: string;
  readonly hook: string;
  readonly times: Histogram;
}

export class Histograms {
  readonly garbageCollection: Histogram = new Histogram();
  readonly storeCommit: Histogram = new Histogram();
  readonly latency: Histogram = new Histogram(LATENCY_BOUNDS);
  readonly latencyPercentiles: Percentiles = new Percentiles();
  readonly #answers = new Map<string, AnswerTimes>();
  readonly #broker: Broker;
  #loop: IntervalHistogram | undefined;
  #collections: PerformanceObserver | undefined;
  #endLatency: (() => void) | undefined;

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
    const { operations } = this.#broker;
    operations.watchCommits((milliseconds) => this.storeCommit.observe(milliseconds / 1000));
    operations.watchAnswers((answer) => this.#answered(answer));
    this.#endLatency = operations.watchLatency((milliseconds) => {
      this.latency.observe(milliseconds / 1000);
      this.latencyPercentiles.observe(milliseconds / 1000);
    });
  }

  close(): void {
    this.#loop?.disable();
    this.#loop = undefined;
    this.#collections?.disconnect();
    const { operations } = this.#broker;
    operations.watchCommits(undefined);
    operations.watchAnswers(undefined);
    this.#endLatency?.();
    this.#endLatency = undefined;
  }

  /** By plugin and hook. */
  get answers(): Iterable<AnswerTimes> {
    return this.#answers.values();
  }

  #answered({ plugin, hook, milliseconds }: HookAnswer): void {
    const isKnown = this.#answers.has(`${plugin} ${hook}`) || this.#answers.size < MOST_ANSWERERS;
    const named = isKnown ? { plugin, hook } : { plugin: OTHERS, hook: OTHERS };
    const key = `${named.plugin} ${named.hook}`;
    const known = this.#answers.get(key) ?? { ...named, times: new Histogram(ANSWER_BOUNDS) };
    this.#answers.set(key, known);
    known.times.observe(milliseconds / 1000);
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
