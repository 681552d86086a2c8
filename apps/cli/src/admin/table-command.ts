// One command of the table with its arguments and options.
import { type AnyCommand, type FieldDescription, fieldsOf, inputFromWords } from "@wrenmq/admin";
import { Command, Option } from "commander";
import { kebab } from "./kebab.ts";
import { runAdminCommand } from "./run.ts";
import { type TargetWords, withTarget } from "./target.ts";

type Run = (command: AnyCommand, input: Readonly<Record<string, unknown>>, options: TargetWords) => Promise<void>;

/** @param run what the command does with its input. Default: calls it, and prints the answer */
export function commandFor(word: string, command: AnyCommand, run: Run = runAdminCommand): Command {
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
    await run(command, inputFromWords(command, words) as Record<string, unknown>, options);
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
