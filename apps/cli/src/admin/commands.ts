// The commands for a running broker, with their arguments and options, made from the table of `@wrenmq/admin`.
import { ALL_COMMANDS, type AnyCommand, type FieldDescription, fieldsOf, inputFromWords } from "@wrenmq/admin";
import { Command, Option } from "commander";
import { kebab } from "./kebab.ts";
import { runAdminCommand } from "./run.ts";
import { type TargetWords, withTarget } from "./target.ts";
import { topCommand } from "./top-command.ts";

/** Commands with an implementation of their own that does more (see `explain-command.ts`). */
const ELSEWHERE: ReadonlySet<string> = new Set(["explain"]);

/** @param topics the command to which `topics explain` is added */
export function adminCommands(topics: Command): Command[] {
  const tops = new Map<string, Command>([["topics", topics]]);
  // Commands of one word come first: the others are added to them.
  const ordered = [...ALL_COMMANDS].sort((one, other) => wordsOf(one).length - wordsOf(other).length);
  for (const command of ordered) {
    const [first = "", second] = wordsOf(command);
    if (ELSEWHERE.has(command.name)) continue;
    if (second === undefined) tops.set(first, made(first, command));
    else {
      const top = tops.get(first) ?? new Command(first);
      tops.set(first, top);
      top.addCommand(made(second, command));
    }
  }
  tops.delete("topics");
  return [...tops.values(), topCommand()];
}

function wordsOf({ cli }: AnyCommand): string[] {
  return cli.words.split(" ");
}

function made(word: string, command: AnyCommand): Command {
  const built = new Command(word).description(command.summary);
  const fields = fieldsOf(command);
  const names = command.cli.arguments ?? [];
  for (const name of names)
    built.argument(`<${kebab(name)}>`, fields.find((field) => field.name === name)?.description);
  for (const field of fields) if (!names.includes(field.name)) built.addOption(optionOf(field));
  withTarget(built);
  built.action(async (...given: unknown[]) => {
    // Commander passes the arguments, the options and the command itself.
    const options = given[names.length] as Readonly<Record<string, unknown>> & TargetWords;
    const words: [string, string][] = names.map((name, index) => [name, String(given[index])]);
    for (const { name } of fields) {
      const word = options[name];
      if (word !== undefined && !names.includes(name)) words.push([name, String(word)]);
    }
    await runAdminCommand(command, inputFromWords(command, words) as Record<string, unknown>, options);
  });
  return built;
}

function optionOf({ name, kind, description = "", choices, default: byDefault, required }: FieldDescription): Option {
  const isSwitch = kind === "flag" && byDefault === false;
  const value =
    kind === "number" ? "<number>" : kind === "list" ? "<json>" : kind === "flag" ? "<true|false>" : "<text>";
  const shown = byDefault === undefined || isSwitch ? "" : `default ${JSON.stringify(byDefault)}`;
  const option = new Option(
    `--${kebab(name)}${isSwitch ? "" : ` ${value}`}`,
    [description, shown].filter((text) => text !== "").join("; "),
  );
  if (choices !== undefined && !isSwitch) option.choices(choices.map(String));
  if (kind === "flag" && !isSwitch) option.choices(["true", "false"]);
  if (required) option.makeOptionMandatory();
  return option;
}
