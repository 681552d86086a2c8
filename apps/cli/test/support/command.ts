// Runs the command as a process of its own.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { inject } from "vitest";

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds after which a program is killed. */
  readonly timeout?: number;
}

export function spawnCommand(words: readonly string[], options: RunOptions = {}): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [inject("wrenmq"), ...words], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
}

export async function runCommand(words: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return finished(spawnCommand(words, options), options.input);
}

export async function runProgram(
  program: string,
  words: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  return finished(
    spawn(program, words, { cwd: options.cwd, env: { ...process.env, ...options.env }, timeout: options.timeout }),
    options.input,
  );
}

async function finished(child: ChildProcessWithoutNullStreams, input = ""): Promise<Finished> {
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.on("error", () => {}); // it may end without reading
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}
