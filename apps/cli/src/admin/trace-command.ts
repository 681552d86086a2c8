// `wrenmq trace`: its options, and what is done with a file.

import type { AnyCommand } from "@wrenmq/admin";
import { COMMANDS } from "@wrenmq/admin";
import { Command, InvalidArgumentError, Option } from "commander";
import { commandFor } from "./table-command.ts";
import type { TargetWords } from "./target.ts";

interface TraceWords extends TargetWords {
  readonly output?: string;
  readonly for?: number;
}

export function traceCommand(): Command {
  const command = COMMANDS["trace.run"] as unknown as AnyCommand;
  const trace = commandFor("trace", command, async (_command, input, options) => {
    const { recordTrace } = await import("./trace.ts");
    const { output, for: seconds = input["seconds"] } = options as TraceWords;
    await recordTrace({ ...input, seconds }, options, output);
  });
  trace
    .addOption(new Option("--for <time>", "the same as --seconds, such as 90s, 5m or 1h").argParser(secondsIn))
    .option("-o, --output <file>", "a new file; without it the trace goes to stdout");
  trace.addCommand(
    new Command("show")
      .description("print a trace as a time line")
      .argument("<file>", "made by wrenmq trace -o")
      .action(async (file: string) => (await import("./trace.ts")).showTrace(file)),
  );
  trace.addCommand(
    new Command("replay")
      .description("run the trace of a client through a simulated broker; exit code 1: its answers differ")
      .argument("<file>", "made by wrenmq trace --client")
      .action(async (file: string) => (await import("./replay-trace.ts")).replayTrace(file)),
  );
  return trace;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3_600 };

function secondsIn(word: string): number {
  const [, number = "", unit = ""] = /^(\d{1,9})([smh]?)$/.exec(word) ?? [];
  if (number === "") throw new InvalidArgumentError("A time such as 90s, 5m or 1h.");
  return Number(number) * (UNITS[unit] ?? 1);
}
