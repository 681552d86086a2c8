// The broker as users run it: `wrenmq start` in a process of its own, ended by SIGKILL.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import type { BrokerUnderTest } from "./broker-under-test.ts";

export interface ProcessOptions {
  /** Path of the program. */
  readonly program: string;
  readonly data: string;
  readonly durability: "batch" | "fsync";
  /** A file for all that the broker has to say, also at level debug. */
  readonly log?: string | undefined;
  /** A command that becomes the broker, with its words: `prlimit --fsize=…`. */
  readonly within?: readonly string[];
}

export class BrokerProcess implements BrokerUnderTest {
  readonly sharesProcess: boolean = false;
  readonly refuses: boolean = false;
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;
  /** What the process said last. */
  output: string = "";

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** @throws Error when it ends by itself */
  start(): Promise<number | undefined> {
    const { program, data, durability, log, within = [] } = this.#options;
    const started = [...within, process.execPath, program, "start", "-p", "0"];
    const [command = process.execPath, ...words] = started;
    words.push("--data", data, "--durability", durability, "--log-format", "json");
    if (log !== undefined) words.push("--debug");
    const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.output = "";
    return new Promise((resolve, reject) => {
      const read = (text: string): void => {
        if (log !== undefined) appendFileSync(log, text);
        this.output = (this.output + text).slice(-20_000);
        const port = /"address":"mqtt:\/\/127\.0\.0\.1:(\d+)"/.exec(this.output)?.[1];
        if (port !== undefined) resolve(Number(port));
      };
      child.stdout?.setEncoding("utf8").on("data", read);
      child.stderr?.setEncoding("utf8").on("data", read);
      child.once("error", reject);
      child.once("close", (code, signal) => {
        if (signal === "SIGKILL") resolve(undefined);
        else reject(new Error(`the broker ended by itself (${code ?? signal}): ${this.output}`));
      });
    });
  }

  crash(): Promise<void> {
    return this.#end("SIGKILL");
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill(signal);
    await closed;
  }
}
