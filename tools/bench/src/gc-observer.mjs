// Loaded into a broker with `--import`: records every pause of the garbage collector, and prints a summary on SIGUSR2.
import { writeFileSync } from "node:fs";
import { constants, PerformanceObserver } from "node:perf_hooks";

const file = process.env.BENCH_GC_FILE;
const kinds = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weak callbacks"],
]);
let pauses = [];

new PerformanceObserver((list) => {
  for (const { duration, detail } of list.getEntries()) pauses.push({ duration, kind: kinds.get(detail.kind) });
}).observe({ entryTypes: ["gc"] });

// First signal: drop what was recorded; second: print what has been recorded since.
let measuring = false;
process.on("SIGUSR2", () => {
  if (measuring) writeFileSync(file, JSON.stringify(pauses));
  pauses = [];
  measuring = true;
});
