// `wrenmq start` as a process, for as long as a test needs it.
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { type RunOptions, spawnCommand } from "./command.ts";

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

export class BrokerProcess {
  readonly child: ChildProcessWithoutNullStreams;
  /** Everything on stderr, in pieces of a line. */
  readonly lines: LogLine[] = [];
  readonly #waiting = new Set<() => void>();
  #rest = "";
  #ended = false;

  constructor(words: readonly string[], options: RunOptions = {}) {
    this.child = spawnCommand(["start", "--log-format", "json", ...words], options);
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    this.child.on("close", () => {
      this.#ended = true;
      for (const look of this.#waiting) look();
    });
  }

  /** The first line of which `is` is true, from line number `from` on. */
  async line(is: (line: LogLine) => boolean, from = 0): Promise<LogLine> {
    for (;;) {
      const found = this.lines.slice(from).find(is);
      if (found !== undefined) return found;
      if (this.#ended) throw new Error(`the broker ended; it said ${JSON.stringify(this.lines)}`);
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
  }

  /** `mqtt://127.0.0.1:4711` of a listener, when clients may connect to it. */
  async address(listener = "default"): Promise<string> {
    const line = await this.line((one) => one.msg === "clients may connect" && one["listener"] === listener);
    return String(line["address"]);
  }

  async port(listener = "default"): Promise<number> {
    return Number(new URL(await this.address(listener)).port);
  }

  /** Ends it. Returns its exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.#ended) return this.child.exitCode;
    const closed = once(this.child, "close");
    this.child.kill(signal);
    const [code] = (await closed) as [number | null];
    return code;
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.lines.push(line.startsWith("{") ? (JSON.parse(line) as LogLine) : { text: line });
    for (const look of [...this.#waiting]) look();
  }
}

/** A broker that the end of the test stops. */
export function startBroker(words: readonly string[], options: RunOptions = {}): BrokerProcess {
  const broker = new BrokerProcess(words, options);
  onTestFinished(async () => {
    await broker.stop();
  });
  return broker;
}
