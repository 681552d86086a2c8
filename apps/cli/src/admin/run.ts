// Runs one command on a running broker, prints the answer, and makes of an error one line that names the option.
import { once } from "node:events";
import type { AnyCommand } from "@wrenmq/admin";
import { CommandError, UsageError } from "../errors.ts";
import { kebab } from "./kebab.ts";
import { printAnswer, tellMissing } from "./print.ts";
import { clientOf, type TargetWords } from "./target.ts";

/** @throws CommandError, UsageError */
export async function runAdminCommand(
  command: AnyCommand,
  input: Readonly<Record<string, unknown>>,
  target: TargetWords,
): Promise<void> {
  try {
    const client = await clientOf(target);
    if (command.streams) {
      for await (const line of client.stream(command.name, input, undefined, tellMissing)) {
        if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain");
      }
      return;
    }
    const answer = await client.call(command.name, command.kind === "read", input);
    printAnswer(answer, target.json === true);
    if (command.name === "health" && (answer as { ready: boolean }).ready === false) {
      throw new CommandError("the broker is not ready");
    }
  } catch (error) {
    throw refusal(error, command.cli.arguments ?? []);
  }
}

/** @param names fields that are arguments rather than options */
export function refusal(error: unknown, names: readonly string[]): unknown {
  if (!(error instanceof Error) || error.name !== "RemoteProblem") return error;
  const { code, field = "" } = error as Error & { readonly code: string; readonly field?: string };
  if (code !== "invalid_input") return new CommandError(error.message);
  const isField = field !== "" && error.message.startsWith(`${field}: `);
  const name = names.includes(field) ? `<${kebab(field)}>` : `--${kebab(field)}`;
  return new UsageError(isField ? `${name}: ${error.message.slice(field.length + 2)}` : error.message);
}
