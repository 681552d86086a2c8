// The broker as users run it: `wrenmq start`, one process or several, ended by SIGKILL.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import type { Random } from "../random.ts";
import type { BrokerUnderTest } from "./broker-under-test.ts";

export interface ProcessOptions {
  /** Path of the program. */
  readonly program: string;
  readonly data: string;
  readonly durability: "batch" | "fsync";
  /** Worker processes. Default 1: the command itself serves the clients. */
  readonly workers?: number;
  /** A file for the broker's log, at level debug. Default: none. */
  readonly log?: string | undefined;
  /** A command that runs the broker, such as `prlimit --fsize=…`. Default: none. */
  readonly within?: readonly string[];
}

/**
 * The line that says where clients may connect. It comes when all workers serve. Each says before that it listens, but a
 * worker that is killed while others are still starting ends the start as a whole.
 */
const READY = /"address":"mqtt:\/\/[^"]*:(\d+)","who"/;

export class BrokerProcess implements BrokerUnderTest {
  readonly sharesProcess: boolean = false;
  readonly forgets: boolean = false;
  readonly refuses: boolean = false;
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;
  /** Process identifiers by worker, as far as they are known. */
  readonly #workers = new Map<number, number>();
  /** The worker that is being killed, and what to call when the supervisor reports its end. */
  #victim: { readonly worker: number; readonly ended: () => void } | undefined;
  /** What ended although nobody ended it. */
  readonly ownEnds: string[] = [];
  /** The last output of the process. */
  output: string = "";

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** @throws Error when it ends by itself */
  start(): Promise<number | undefined> {
    const { program, data, durability, log, workers = 1, within = [] } = this.#options;
    const started = [...within, process.execPath, program, "start", "-p", "0"];
    const [command = process.execPath, ...words] = started;
    words.push("--data", data, "--durability", durability, "--log-format", "json");
    if (workers > 1) words.push("--workers", String(workers));
    if (log !== undefined) words.push("--debug");
    // Workers are in the process group of their supervisor: all are ended by one signal.
    const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"], detached: workers > 1 });
    this.#child = child;
    this.#workers.clear();
    this.output = "";
    let rest = "";
    return new Promise((resolve, reject) => {
      const read = (text: string): void => {
        if (log !== undefined) appendFileSync(log, text);
        this.output = (this.output + text).slice(-20_000);
        if (workers > 1) {
          const lines = (rest + text).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) this.#readLine(line);
        }
        const port = READY.exec(this.output)?.[1];
        if (port !== undefined) resolve(Number(port));
      };
      child.stdout?.setEncoding("utf8").on("data", read);
      child.stderr?.setEncoding("utf8").on("data", read);
      child.once("error", reject);
      child.once("close", (code, signal) => {
        const isWanted = this.#child !== child;
        if (isWanted && signal === "SIGKILL") {
          resolve(undefined);
          return;
        }
        const what = `the broker ended by itself (${code ?? signal})`;
        if (!isWanted) this.ownEnds.push(what);
        reject(new Error(`${what}: ${this.output}`));
      });
    });
  }

  crash(): Promise<void> {
    return this.#end("SIGKILL");
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /**
   * Ends one worker; resolves when its supervisor has noticed.
   * @returns false: there is none that can be ended
   */
  async crashWorker(random: Random): Promise<boolean> {
    if (this.#workers.size === 0) return false;
    const [worker, pid] = random.pick([...this.#workers]);
    this.#workers.delete(worker);
    const ended = new Promise<void>((resolve) => {
      this.#victim = { worker, ended: resolve };
      this.#child?.once("close", () => resolve());
    });
    process.kill(pid, "SIGKILL");
    await ended;
    this.#victim = undefined;
    return true;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    if (signal === "SIGKILL" && (this.#options.workers ?? 1) > 1) process.kill(-child.pid, signal);
    else child.kill(signal);
    await closed;
  }

  #readLine(line: string): void {
    const said = parsed(line);
    if (typeof said["worker"] !== "number") return;
    if (typeof said["pid"] === "number" && said["msg"] === "restored from the store") {
      this.#workers.set(said["worker"], said["pid"]);
    } else if (said["msg"] === "a worker ended; it is started again") {
      if (this.#victim?.worker === said["worker"]) this.#victim?.ended();
      else {
        this.#workers.delete(said["worker"]);
        this.ownEnds.push(`worker ${said["worker"]} ended by itself: ${line}`);
      }
    }
  }
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return {};
  }
}
