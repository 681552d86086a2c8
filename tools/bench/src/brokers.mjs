// The brokers that can be measured: commands and settings to start them, and how they are stopped. Every run has a
// fresh process and a fresh folder; only processes that were started here are ended.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { certificateIn } from "./certificate.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const node = process.execPath;
const cli = path("../../../apps/cli/bin/wrenmq.js");
const wrenmq = [node, cli, "start", "--host", "127.0.0.1"];
const aedes = [node, path("aedes-server.mjs")];

/** Without limits that the scenarios would reach. */
function mosquittoConfig(port, persistence, tls) {
  const user = process.getuid?.() === 0 ? "user root\n" : "";
  const certificate = tls === undefined ? "" : `certfile ${tls.cert}\nkeyfile ${tls.key}\n`;
  return `${user}listener ${port} 127.0.0.1
${certificate}allow_anonymous true
max_queued_messages 0
max_inflight_messages 0
log_type error
${persistence === undefined ? "persistence false" : `persistence true\npersistence_location ${persistence}/`}
`;
}

function natsConfig(port, other, dir) {
  return `host: 127.0.0.1
port: ${other}
server_name: bench
max_payload: 8MB
jetstream { store_dir: "${dir}/js", max_mem: 4G, max_file: 8G }
mqtt { host: 127.0.0.1, port: ${port} }
`;
}

/** One listener with TLS. */
function tlsConfig(port, { cert, key }) {
  return `wrenmq: 1
listeners:
  default:
    type: tls
    bind: 127.0.0.1:${port}
    tls: { certificate_file: ${cert}, key_file: ${key} }
plugins:
  anonymous:
`;
}

/** Queues that are full after 200 messages: for what happens at their bound. */
function smallQueuesConfig(port) {
  return `wrenmq: 1
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:${port}
limits:
  max_inflight: 100
  max_queued_messages: 100
plugins:
  anonymous:
`;
}

/** The admin API without tokens: `/metrics` is open to this machine. */
function metricsConfig(port, other) {
  return `wrenmq: 1
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:${port}
admin:
  bind: 127.0.0.1:${other}
  dashboard: false
plugins:
  anonymous:
`;
}

/**
 * `command({ port, other, dir })` is what to run; `needs`: a program that has to be on PATH; `durable`: the name of the
 * variant that keeps sessions on disk.
 */
export const brokers = {
  wrenmq: {
    command: ({ port, dir, tls }) =>
      tls === undefined ? [...wrenmq, "-p", port] : [node, cli, "start", "-c", join(dir, "conf")],
    config: ({ port, tls }) => tls && tlsConfig(port, tls),
  },
  "wrenmq small queues": {
    command: ({ dir }) => [node, cli, "start", "-c", join(dir, "conf")],
    config: ({ port }) => smallQueuesConfig(port),
  },
  "wrenmq with metrics": {
    command: ({ dir }) => [node, cli, "start", "-c", join(dir, "conf")],
    config: ({ port, other }) => metricsConfig(port, other),
  },
  "wrenmq cold": { command: ({ port }) => [...wrenmq, "-p", port, "--no-warm-up"] },
  // CPU of all processes is counted; `--no-pin` lets them use more than one core.
  "wrenmq 2 workers": { command: ({ port }) => [...wrenmq, "-p", port, "--workers", "2"] },
  "wrenmq batch": { command: ({ port, dir }) => [...wrenmq, "-p", port, "--data", join(dir, "data")] },
  "wrenmq fsync": {
    command: ({ port, dir }) => [...wrenmq, "-p", port, "--data", join(dir, "data"), "--durability", "fsync"],
  },
  mosquitto: {
    needs: "mosquitto",
    command: ({ dir }) => ["mosquitto", "-c", join(dir, "conf")],
    config: ({ port, tls }) => mosquittoConfig(port, undefined, tls),
  },
  "mosquitto persistence": {
    needs: "mosquitto",
    command: ({ dir }) => ["mosquitto", "-c", join(dir, "conf")],
    config: ({ port, dir }) => mosquittoConfig(port, dir),
  },
  // Aedes has no MQTT 5.
  aedes: { command: ({ port }) => [...aedes, port], lacks: ["v5"] },
  "aedes level": { command: ({ port, dir }) => [...aedes, port, join(dir, "level")] },
  nats: {
    needs: "nats-server",
    command: ({ dir }) => ["nats-server", "-c", join(dir, "conf")],
    config: ({ port, other, dir }) => natsConfig(port, other, dir),
    lacks: ["q2"],
  },
};

function isThere(program) {
  return spawnSync("sh", ["-c", `command -v "${program}"`]).status === 0;
}

export function isInstalled(name) {
  const { needs } = brokers[name];
  return needs === undefined || isThere(needs);
}

/** Broker on the first core, generator on the second, where there are two and they can be chosen. */
export const canPin = process.platform === "linux" && availableParallelism() > 1 && isThere("taskset");

export function pinned(core, command, pin = canPin) {
  return pin ? ["taskset", "-c", String(core), ...command] : command;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

export class RunningBroker {
  name;
  port;
  /** A second port, for brokers that need one. */
  other;
  dir;
  #child;
  #output = "";

  get pid() {
    return this.#child.pid;
  }

  /** @param options.dir use and keep this folder; @param options.env more variables; @param options.pin */
  static async start(name, { dir, env = {}, pin = canPin, patience = 20_000, transport } = {}) {
    const broker = new RunningBroker();
    broker.name = name;
    broker.keepsFolder = dir !== undefined;
    broker.dir = dir ?? mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "bench-"));
    broker.port = await freePort();
    broker.other = await freePort();
    const tls = transport === "tls" ? certificateIn(broker.dir) : undefined;
    const place = { port: String(broker.port), other: String(broker.other), dir: broker.dir, tls };
    const { command, config } = brokers[name];
    const text = config?.(place);
    if (text !== undefined) writeFileSync(join(broker.dir, "conf"), text);
    const [program, ...words] = pinned(0, command(place), pin);
    broker.#child = spawn(program, words, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [broker.#child.stdout, broker.#child.stderr]) {
      stream.on("data", (text) => {
        broker.#output = (broker.#output + text).slice(-4_000);
      });
    }
    broker.exited = new Promise((resolve) => broker.#child.once("exit", resolve));
    const end = performance.now() + patience;
    while (!(await answers(broker.port))) {
      if (broker.#child.exitCode !== null || performance.now() > end) {
        await broker.stop();
        throw new Error(`${name} did not start: ${broker.#output.slice(-400)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return broker;
  }

  get output() {
    return this.#output;
  }

  async stop(signal = "SIGTERM") {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill(signal);
      const timer = setTimeout(() => this.#child.kill("SIGKILL"), 30_000);
      await this.exited;
      clearTimeout(timer);
    }
    if (!this.keepsFolder) rmSync(this.dir, { recursive: true, force: true });
  }
}

/**
 * Runs the load generator against a broker.
 * @returns its figures
 */
export function load(options, { pin = canPin, patience = 120_000 } = {}) {
  return new Promise((resolve) => {
    const [program, ...words] = pinned(1, [node, path("load/main.mjs"), JSON.stringify(options)], pin);
    const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (text) => {
      output += text;
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), patience);
    child.once("close", () => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(output));
      } catch {
        resolve({ failed: "the generator gave no figures in time" });
      }
    });
  });
}
