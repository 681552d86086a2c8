// `wrenmq bogus`: without this the word would be taken for an argument of `start`, and the message would not fit.
import type { Command } from "commander";
import { UsageError } from "./errors.ts";

export function unknownCommand(program: Command, words: readonly string[]): UsageError | undefined {
  const [word] = words;
  if (word === undefined || word.startsWith("-")) return undefined;
  const names = [...program.commands.map((command) => command.name()), "help"];
  if (names.includes(word)) return undefined;
  const near = names.find((name) => name.startsWith(word.slice(0, 3)));
  return new UsageError(`unknown command "${word}"${near === undefined ? "" : ` (did you mean ${near}?)`}; see --help`);
}
