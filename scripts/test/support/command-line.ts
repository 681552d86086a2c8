// Command lines of documents and examples, held against the parser of the command: nothing is run.
import type { Command } from "commander";
import { createProgram } from "../../../apps/cli/src/program.ts";
import { unknownCommand } from "../../../apps/cli/src/unknown-command.ts";
import { ALL_COMMANDS, inputFromWords } from "../../../packages/admin/src/index.ts";

const NAME = "wrenmq";
/** What stands for a value in a document, and an example of it. */
const PLACEHOLDERS: Readonly<Record<string, string>> = { N: "2", PORT: "1883", ROLE: "read" };

/**
 * The calls of the command in a text of a shell, each with its words.
 * @param text lines of a shell; what is around the command (pipes, `ssh`, `sudo`, variables) is left out
 */
export function callsIn(text: string): string[][] {
  return text
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .flatMap(commandsOf)
    .flatMap((words) => {
      const at = words.findIndex((word) => word === NAME || word.endsWith(`/${NAME}`));
      return at < 0 ? [] : [words.slice(at + 1).flatMap((word) => (word === "…" ? [] : (PLACEHOLDERS[word] ?? word)))];
    });
}

/** Splits a line at pipes, `&&`, `;` and redirections; quotes hold words together, `#` begins a comment. */
function commandsOf(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [, single, double, end, comment, plain] of line.matchAll(
    /'([^']*)'|"([^"]*)"|(\|\|?|&&?|;|[0-9]?>>?\s*\S+|<\s*\S+)|(?<=^|\s)(#.*)|([^\s'"|&;<>]+)/g,
  )) {
    if (end !== undefined) commands.push([]);
    else if (comment === undefined) commands.at(-1)?.push(single ?? double ?? plain ?? "");
  }
  return commands;
}

/** What the parser says to a call; undefined: it is accepted. */
export async function objection(words: readonly string[]): Promise<string | undefined> {
  const program = await createProgram(words[0]);
  const wrong = unknownCommand(program, words);
  if (wrong !== undefined) return wrong.message;
  let complaint: string | undefined;
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command.commands.length > 0 && !hasAction(command)) continue;
    command.action((...given: unknown[]) => {
      complaint = inputObjection(command, given.slice(0, -2), given.at(-2) as Record<string, unknown>);
    });
  }
  try {
    await program.parseAsync([...words], { from: "user" });
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return code === "commander.helpDisplayed" || code === "commander.version" ? undefined : message;
  }
  return complaint;
}

/** Is there such a command? For a mention of its name, without what it needs. */
export async function isCommand(words: readonly string[]): Promise<boolean> {
  let command: Command | undefined = await createProgram(words[0]);
  for (const word of words) command = command?.commands.find((one) => one.name() === word);
  return command !== undefined;
}

/** Commands for a running broker check their input by its schema, when they are run. */
function inputObjection(command: Command, values: readonly unknown[], options: Record<string, unknown>) {
  const path: string[] = [];
  for (let one: Command | null = command; one?.parent != null; one = one.parent) path.unshift(one.name());
  const found = ALL_COMMANDS.find(({ cli }) => cli.words === path.join(" "));
  if (found === undefined) return undefined;
  const names = found.cli.arguments ?? [];
  const fields = Object.keys(found.input.shape).filter((name) => !names.includes(name) && options[name] !== undefined);
  const pairs = [
    ...names.map((name, index) => [name, String(values[index])] as const),
    ...fields.map((name) => [name, String(options[name])] as const),
  ];
  const { error } = found.input.safeParse(inputFromWords(found, pairs));
  return error === undefined ? undefined : `${error.issues[0]?.path.join(".")}: ${error.issues[0]?.message}`;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** Commander keeps it to itself: a command with others below it may have one of its own, or only print its help. */
function hasAction(command: Command): boolean {
  return (command as unknown as { readonly _actionHandler: unknown })._actionHandler != null;
}
