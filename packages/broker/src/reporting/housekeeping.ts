// What a broker does at intervals: it publishes `$SYS`, and removes expired retained messages.
import { getHeapStatistics } from "node:v8";
import type { Seconds } from "@wrenmq/protocol";
import type { ClusterNode } from "../clustering/cluster-node.ts";
import type { FactLog } from "../persistence/fact-log.ts";
import type { Router } from "../routing/router.ts";
import type { BackgroundTasks } from "../runtime/background-tasks.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Timer, Timers } from "../runtime/timers.ts";
import { VERSION } from "../runtime/version.ts";
import type { Metrics } from "./metrics.ts";
import { type ProcessUse, type SysOptions, SysTopics } from "./sys-topics.ts";

const SWEEP_INTERVAL: Seconds = 60;

export interface HousekeepingParts {
  readonly router: Router;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly backgroundTasks: BackgroundTasks;
  readonly factLog: FactLog | undefined;
  readonly cluster: ClusterNode | undefined;
}

export class Housekeeping {
  readonly #core: HousekeepingParts;
  readonly #timers = new Set<Timer>();
  #stopped = false;
  #sweeping = false;
  #cpu = process.cpuUsage();
  #cpuAt = 0;

  constructor(core: HousekeepingParts) {
    this.#core = core;
  }

  /** @param publish publishes a retained message */
  start(sys: SysOptions, metrics: () => Metrics, publish: (topic: string, payload: string) => void): void {
    this.#repeat(SWEEP_INTERVAL, () => {
      if (!this.#sweeping) this.#core.backgroundTasks.add(this.#sweep());
    });
    if (sys.intervalSeconds <= 0) return;
    const topics = new SysTopics(sys.names, VERSION, this.#core.clock.now());
    const tell = (values: readonly [topic: string, payload: string][]): void => {
      for (const [topic, payload] of values) publish(topic, payload);
    };
    const update = (): void => tell(topics.values(metrics(), this.#processUse(), this.#core.clock.now()));
    tell(topics.fixed());
    update();
    this.#repeat(sys.intervalSeconds, update);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
  }

  #repeat(seconds: Seconds, action: () => void): void {
    const { timers, clock } = this.#core;
    let timer: Timer;
    const again = (now: number): void => {
      this.#timers.delete(timer);
      if (this.#stopped) return;
      // Before the action, which may throw: the timer is set again then too.
      timer = timers.at(now + seconds * 1000, again);
      this.#timers.add(timer);
      action();
    };
    timer = timers.at(clock.now() + seconds * 1000, again);
    this.#timers.add(timer);
  }

  *#sweep(): IterableIterator<void> {
    const { router, clock, factLog, cluster } = this.#core;
    const now = clock.now();
    this.#sweeping = true;
    try {
      if (cluster !== undefined) yield* cluster.sweep(now);
      for (const topic of router.retained.sweep(now)) {
        if (topic !== undefined) factLog?.record({ op: "deleteRetained", topic }, undefined);
        yield;
      }
    } finally {
      this.#sweeping = false;
    }
  }

  #processUse(): ProcessUse {
    const used = process.cpuUsage(this.#cpu);
    const now = this.#core.clock.now();
    const elapsed = Math.max(1, now - this.#cpuAt);
    const cpuPercent = this.#cpuAt === 0 ? 0 : (used.user + used.system) / 10 / elapsed;
    this.#cpu = process.cpuUsage();
    this.#cpuAt = now;
    // `process.memoryUsage` reads a file, and throws when there are no file descriptors left.
    return { heapUsed: getHeapStatistics().used_heap_size, cpuPercent };
  }
}
