// Reports unknown commands: `wrenmq bogus` would otherwise be taken for an argument of `start`, with a message that
// does not fit.
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { UsageError } from "./errors.ts";

export function unknownCommand(program: Command, words: readonly string[]): UsageError | undefined {
  const [word] = words;
  if (word === undefined || word.startsWith("-")) return undefined;
  const names = [...program.commands.map((command) => command.name()), "help"];
  if (names.includes(word) || isFile(word)) return undefined; // `start` handles a file
  const near = names.find((name) => name.startsWith(word.slice(0, 3)));
  return new UsageError(`unknown command "${word}"${near === undefined ? "" : ` (did you mean ${near}?)`}; see --help`);
}

const isFile = (word: string): boolean => /\.(ya?ml|conf|json)$/i.test(word) || existsSync(word);
