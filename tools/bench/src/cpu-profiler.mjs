// Loaded into a broker with `--import`: profiles it, and each of its workers, from one SIGUSR2 to the next. Each
// process writes a file in the folder BENCH_PROFILES, which is empty while it is being profiled.
import cluster from "node:cluster";
import { renameSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";

const session = new Session();
session.connect();
const file = join(process.env.BENCH_PROFILES, `${process.pid}.json`);
let running = false;
process.on("SIGUSR2", () => {
  for (const worker of Object.values(cluster.workers ?? {})) worker.process.kill("SIGUSR2");
  if (!running) {
    running = true;
    writeFileSync(file, "");
    session.post("Profiler.enable");
    session.post("Profiler.setSamplingInterval", { interval: 200 });
    session.post("Profiler.start");
    return;
  }
  session.post("Profiler.stop", (error, result) => {
    if (error !== null) return;
    writeFileSync(`${file}.new`, JSON.stringify(result.profile));
    renameSync(`${file}.new`, file);
  });
});
