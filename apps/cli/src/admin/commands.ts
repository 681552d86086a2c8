// The commands for a running broker, with their arguments and options, made from the table of `@wrenmq/admin`.
import { ALL_COMMANDS, type AnyCommand } from "@wrenmq/admin";
import { Command } from "commander";
import { commandFor } from "./table-command.ts";
import { topCommand } from "./top-command.ts";
import { traceCommand } from "./trace-command.ts";

/** Commands with an implementation of their own that does more (see `explain-command.ts`). */
const ELSEWHERE: ReadonlySet<string> = new Set(["explain", "trace.run"]);

/** @param topics the command to which `topics explain` is added */
export function adminCommands(topics: Command): Command[] {
  const tops = new Map<string, Command>([["topics", topics]]);
  // Commands of one word come first: the others are added to them.
  const ordered = [...ALL_COMMANDS].sort((one, other) => wordsOf(one).length - wordsOf(other).length);
  for (const command of ordered) {
    const [first = "", second] = wordsOf(command);
    if (ELSEWHERE.has(command.name)) continue;
    if (second === undefined) tops.set(first, commandFor(first, command));
    else {
      const top = tops.get(first) ?? new Command(first);
      tops.set(first, top);
      top.addCommand(commandFor(second, command));
    }
  }
  tops.delete("topics");
  return [...tops.values(), topCommand(), traceCommand()];
}

function wordsOf({ cli }: AnyCommand): string[] {
  return cli.words.split(" ");
}
