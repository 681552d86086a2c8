// `wrenmq sub` as a process, read while it runs.
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { spawnCommand } from "./command.ts";

export class Subscriber {
  readonly child: ChildProcessWithoutNullStreams;
  #stdout = "";
  #stderr = "";
  #code: number | null | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(words: readonly string[]) {
    this.child = spawnCommand(["sub", "--debug", ...words]);
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#look();
    });
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#look();
    });
    this.child.on("close", (code) => {
      this.#code = code;
      this.#look();
    });
    onTestFinished(() => void this.child.kill("SIGKILL"));
  }

  get printed(): string[] {
    return this.#stdout.split("\n").slice(0, -1);
  }

  /** Until the broker has answered so many CONNECT packets. */
  connected(times = 1): Promise<void> {
    return this.#until(() => this.#stderr.split("<-in-- connack").length > times);
  }

  /** Until the broker has answered so many SUBSCRIBE packets. */
  subscribed(times = 1): Promise<void> {
    return this.#until(() => this.#stderr.split("<-in-- suback").length > times);
  }

  /** Until this line is printed. Returns all that are. */
  async line(wanted: string): Promise<string[]> {
    await this.#until(() => this.printed.includes(wanted));
    return this.printed;
  }

  /** Until it has ended by itself. Returns its exit code. */
  async ended(): Promise<number | null> {
    if (this.#code === undefined) await once(this.child, "close");
    return this.#code ?? null;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.child.kill(signal);
    return this.ended();
  }

  async #until(is: () => boolean): Promise<void> {
    while (!is()) {
      if (this.#code !== undefined) throw new Error(`sub ended with ${this.#code}: ${this.#stderr}${this.#stdout}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #look(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
