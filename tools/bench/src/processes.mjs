// CPU time and memory of a process and its children, from /proc. On other systems there are no such figures.
import { readdirSync, readFileSync } from "node:fs";

const TICKS_PER_SECOND = 100;
export const hasProc = process.platform === "linux";

function read(path) {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

/** The process and all its descendants. */
function tree(pid) {
  const found = [pid];
  for (const one of found) {
    for (const thread of threads(one)) {
      const children = read(`/proc/${one}/task/${thread}/children`);
      for (const child of children?.trim().split(" ") ?? []) if (child !== "") found.push(Number(child));
    }
  }
  return found;
}

function threads(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Seconds of user and system time, in clock ticks. Threads that have ended count too. */
function byTick(pid) {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return 0;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Seconds that the living threads have run, in nanoseconds. */
function byScheduler(pid) {
  let sum = 0;
  for (const thread of threads(pid)) {
    const stat = read(`/proc/${pid}/task/${thread}/schedstat`);
    if (stat !== undefined) sum += Number(stat.split(" ")[0]) / 1e9;
  }
  return sum;
}

function kilobytes(pid, key) {
  const line = read(`/proc/${pid}/status`)?.match(new RegExp(`^${key}:\\s+(\\d+)`, "m"));
  return Number(line?.[1] ?? 0);
}

/** CPU time and memory of a process with its children; undefined on systems without /proc. */
export function sample(pid) {
  if (!hasProc) return undefined;
  const sum = { at: performance.now(), ticks: 0, exact: 0, rss: 0, peak: 0 };
  for (const one of tree(pid)) {
    sum.ticks += byTick(one);
    sum.exact += byScheduler(one);
    sum.rss += kilobytes(one, "VmRSS") * 1024;
    sum.peak += kilobytes(one, "VmHWM") * 1024;
  }
  return sum;
}

/**
 * CPU microseconds between two samples. The finer clock misses threads that have ended: then the coarser one is used.
 */
export function cpuBetween(from, to) {
  if (from === undefined || to === undefined) return undefined;
  const ticks = to.ticks - from.ticks;
  const exact = to.exact - from.exact;
  return (Math.abs(exact - ticks) < 0.05 + ticks * 0.02 ? exact : ticks) * 1e6;
}
