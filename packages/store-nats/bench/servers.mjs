// nats-servers for benchmarks, and the CPU that they take.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = process.env.NATS_SERVER ?? "/usr/sbin/nats-server";
/** Of a tick of /proc/PID/stat, in µs. */
const TICK = 10_000;

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** @returns urls, `cpu()` in µs of all of them, `stop()` */
export async function startServers(count) {
  const folder = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "wrenmq-nats-"));
  const ports = await Promise.all(Array.from({ length: 2 * count }, freePort));
  const routes = ports.slice(count).map((port) => `nats-route://127.0.0.1:${port}`);
  const running = ports.slice(0, count).map((port, index) => {
    const cluster = { name: "bench", host: "127.0.0.1", port: ports[count + index], routes };
    const config = {
      server_name: `n${index}`,
      host: "127.0.0.1",
      port,
      jetstream: { store_dir: join(folder, `js-${index}`), max_file: "8G" },
      ...(count === 1 ? {} : { cluster }),
    };
    const file = join(folder, `nats-${index}.conf`);
    writeFileSync(file, JSON.stringify(config));
    return spawn(PROGRAM, ["-c", file], { stdio: "ignore" });
  });
  return {
    urls: ports.slice(0, count).map((port) => `nats://127.0.0.1:${port}`),
    cpu: () => running.reduce((sum, { pid }) => sum + cpuOf(pid), 0),
    stop: async () => {
      await Promise.all(
        running.map((child) => {
          const ended = new Promise((resolve) => child.once("exit", resolve));
          child.kill("SIGKILL");
          return ended;
        }),
      );
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function cpuOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}
