// A member of a cluster as users run it: `wrenmq start -c node.yaml`, with signals, and what it says of itself.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface MemberOptions {
  readonly name: string;
  /** Path of the program. */
  readonly program: string;
  readonly configFile: string;
  /** For the Unix socket of the administration. */
  readonly runtime: string;
  /** A command that runs the member, such as `ip netns exec …`. Default: none. */
  readonly within?: readonly string[];
  /** A file for what it says, at level debug. Default: none. */
  readonly log?: string | undefined;
}

interface Line {
  readonly msg?: string;
  readonly address?: string;
  readonly [key: string]: unknown;
}

/** Milliseconds between two attempts to start it, as a service manager makes them. */
const AGAIN = 200;

export class MemberProcess {
  readonly name: string;
  readonly #options: MemberOptions;
  #child: ChildProcess | undefined;
  #port: number | undefined;
  #listening: (() => void)[] = [];
  #last: string[] = [];
  /** How often it has become a member again because the others had declared it dead. */
  replaced: number = 0;
  /** What ended although nobody ended it. */
  readonly ownEnds: string[] = [];

  constructor(options: MemberOptions) {
    this.#options = options;
    this.name = options.name;
    mkdirSync(join(options.runtime, "wrenmq"), { recursive: true, mode: 0o700 });
  }

  /** Where clients may connect; undefined: nowhere at present. */
  get port(): number | undefined {
    return this.#port;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it, again if it ends; resolves when clients may connect. */
  async start(): Promise<void> {
    const { program, configFile, within = [], runtime, log } = this.#options;
    const [command = process.execPath, ...words] = [...within, process.execPath, program, "start", "-c", configFile];
    words.push("--log-format", "json", ...(log === undefined ? [] : ["--debug"]));
    const child = spawn(command, words, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, XDG_RUNTIME_DIR: runtime },
    });
    this.#child = child;
    this.#last = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", (line) => this.#read(line, child));
    }
    const listens = new Promise<void>((resolve) => void this.#listening.push(resolve));
    child.once("close", (code, signal) => {
      if (this.#child !== child) return; // somebody wanted it
      this.#child = undefined;
      this.#port = undefined;
      this.ownEnds.push(`member ${this.name} ended by itself (${code ?? signal}): ${this.#last.join("\n")}`);
      for (const give of this.#listening.splice(0)) give();
    });
    await listens;
  }

  /** Resolves when clients may connect. */
  async whenListening(): Promise<void> {
    while (this.#port === undefined && this.#child !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN / 10));
    }
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#port = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill(signal);
    await closed;
  }

  /** The answer to an administrative command that reads; undefined: there is none. */
  ask(command: string): Promise<Record<string, unknown> | undefined> {
    const socketPath = join(this.#options.runtime, "wrenmq", `${this.pid}.sock`);
    return new Promise((resolve) => {
      const asked = request({ socketPath, path: `/api/v1/${command}`, timeout: 2_000 }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.once("end", () => resolve(response.statusCode === 200 ? parsed(text) : undefined));
        response.once("error", () => resolve(undefined));
      });
      asked.once("timeout", () => asked.destroy());
      asked.once("error", () => resolve(undefined));
      asked.end();
    });
  }

  #read(text: string, child: ChildProcess): void {
    const { log } = this.#options;
    if (log !== undefined) appendFileSync(log, `${this.name} ${text}\n`);
    if (this.#last.push(text) > 30) this.#last.shift();
    const { msg = "", address } = parsed(text) as Line;
    if (this.#child !== child) return;
    if (msg === "clients may connect" && address !== undefined) {
      this.#port = Number(new URL(address).port);
      for (const give of this.#listening.splice(0)) give();
    } else if (msg.includes("declared this one dead")) {
      this.#port = undefined;
      this.replaced++;
    }
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
