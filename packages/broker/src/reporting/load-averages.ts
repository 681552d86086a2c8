// Mosquitto's `load/…/1min|5min|15min`: exponentially weighted moving averages per minute, computed as in its
// `sys_tree`.
import type { Seconds } from "@wrenmq/protocol";
import type { MetricName } from "./metrics.ts";

const WINDOWS = [
  ["1min", 60],
  ["5min", 300],
  ["15min", 900],
] as const;

const RATES: readonly (readonly [name: string, of: readonly MetricName[]])[] = [
  ["messages/received", ["packetsReceived"]],
  ["messages/sent", ["packetsSent"]],
  ["publish/dropped", ["droppedQueueFull", "droppedBlocked", "droppedTooLarge", "droppedStoreFull"]],
  ["publish/received", ["publishReceived"]],
  ["publish/sent", ["publishSent"]],
  ["bytes/received", ["bytesReceived"]],
  ["bytes/sent", ["bytesSent"]],
  ["sockets", ["connectionsAccepted"]],
  ["connections", ["connectsReceived"]],
];

export class LoadAverages {
  readonly #before = new Map<string, number>();
  readonly #averages = new Map<string, number>();

  /** @param elapsed since the last call; 0: this is the first */
  update(get: (name: MetricName) => number, elapsed: Seconds): void {
    for (const [name, of] of RATES) {
      const total = of.reduce((sum, one) => sum + get(one), 0);
      const before = this.#before.get(name);
      this.#before.set(name, total);
      if (elapsed <= 0) continue;
      const perMinute = ((total - (before ?? 0)) * 60) / elapsed;
      for (const [window, length] of WINDOWS) {
        const key = `load/${name}/${window}`;
        const weight = Math.exp(-elapsed / length);
        this.#averages.set(key, perMinute + weight * ((this.#averages.get(key) ?? 0) - perMinute));
      }
    }
  }

  /** All 27, by topic below `$SYS/broker/`. */
  *values(): IterableIterator<[topic: string, value: string]> {
    for (const [name] of RATES) {
      for (const [window] of WINDOWS) {
        const key = `load/${name}/${window}`;
        yield [key, (this.#averages.get(key) ?? 0).toFixed(2)];
      }
    }
  }
}
