// Takes a sample of the broker's numbers at every full second, and keeps those of the last 15 minutes in memory. Samples
// are taken from the first time that somebody asks until nobody has asked for an hour: a sample counts the queues of all
// sessions.
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { Broker, Clock, Metrics } from "@wrenmq/broker";
import { Percentiles } from "./histogram.ts";

const SECOND = 1_000;
const KEPT = 15 * 60;
const FORGOTTEN_AFTER = 3_600_000;
/** Milliseconds between two probes of the event loop. */
const RESOLUTION = 10;

/** Counters are totals since the start of the broker: rates are differences between two samples. */
export interface Sample {
  /** Epoch milliseconds: a full second, so that samples of several processes can be joined. */
  readonly at: number;
  readonly metrics: Metrics;
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** Seconds by which the event loop was late since the sample before, at the 99th percentile. */
  readonly loopDelayP99: number;
  /** Seconds that messages took through the broker since the sample before; undefined: none was measured. */
  readonly latencyP50: number | undefined;
  readonly latencyP99: number | undefined;
}

export class StatsSampler {
  readonly #broker: Broker;
  readonly #clock: Clock;
  readonly #watchers = new Set<(sample: Sample) => void>();
  #samples: Sample[] = [];
  readonly #latency = new Percentiles();
  #loop: IntervalHistogram | undefined;
  #endLatency: (() => void) | undefined;
  #cancel: (() => void) | undefined;
  #last = 0;
  #asked = 0;
  #resident = 0;

  constructor(broker: Broker, clock: Clock) {
    this.#broker = broker;
    this.#clock = clock;
  }

  /** The samples of the last 15 minutes, the oldest first. */
  get history(): readonly Sample[] {
    return this.#samples;
  }

  /**
   * Calls back with each sample.
   * @returns ends it
   */
  watch(callback: (sample: Sample) => void): () => void {
    this.#watchers.add(callback);
    this.#start();
    return () => {
      this.#watchers.delete(callback);
      this.#asked = this.#clock.now();
    };
  }

  close(): void {
    this.#stop();
    this.#watchers.clear();
  }

  #start(): void {
    if (this.#loop !== undefined) return;
    this.#loop = monitorEventLoopDelay({ resolution: RESOLUTION });
    this.#loop.enable();
    this.#latency.reset();
    const observe = (milliseconds: number): void => this.#latency.observe(milliseconds / 1000);
    this.#endLatency = this.#broker.operations.watchLatency(observe);
    this.#last = Math.floor(this.#clock.now() / SECOND) * SECOND;
    this.#next();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#loop?.disable();
    this.#loop = undefined;
    this.#endLatency?.();
    this.#endLatency = undefined;
    this.#samples = [];
  }

  #next(): void {
    const time = (Math.floor(this.#clock.now() / SECOND) + 1) * SECOND;
    this.#cancel = this.#clock.at(time, () => this.#tick());
  }

  #tick(): void {
    const now = this.#clock.now();
    // A timer of the platform may be a little early.
    const at = Math.round(now / SECOND) * SECOND;
    if (this.#watchers.size === 0 && now - this.#asked > FORGOTTEN_AFTER) {
      this.#stop();
      return;
    }
    this.#next();
    if (at <= this.#last || this.#broker.state !== "started") return;
    this.#last = at;
    const sample = this.#take(at);
    if (this.#samples.push(sample) > KEPT) this.#samples.shift();
    for (const watcher of [...this.#watchers]) watcher(sample);
  }

  #take(at: number): Sample {
    const loop = this.#loop as IntervalHistogram;
    // A probe that is on time takes the resolution itself.
    const late = loop.count === 0 ? 0 : Math.max(0, loop.percentile(99) / 1e9 - RESOLUTION / 1000);
    loop.reset();
    const [latencyP50, latencyP99] = [this.#latency.at(50), this.#latency.at(99)];
    this.#latency.reset();
    return {
      at,
      metrics: this.#broker.metrics(),
      heapBytes: getHeapStatistics().used_heap_size,
      residentBytes: this.#residentBytes(),
      loopDelayP99: late,
      latencyP50,
      latencyP99,
    };
  }

  /** It is read from a file: without file descriptors the last value is kept. */
  #residentBytes(): number {
    try {
      this.#resident = process.memoryUsage.rss();
    } catch {
      // See above.
    }
    return this.#resident;
  }
}
