// `wrenmq explain` without a configuration: asks a running broker.
import { CommandError } from "../errors.ts";
import { printAnswer } from "./print.ts";
import { refusal } from "./run.ts";
import { clientOf, type TargetWords } from "./target.ts";

interface Explained {
  readonly allowed: boolean;
  readonly opinions: readonly { readonly plugin: string; readonly decision: string; readonly rule?: string }[];
}

/** @throws CommandError when the topic is refused */
export async function explainRunning(
  question: { readonly topic: string; readonly action: string; readonly clientId: string },
  target: TargetWords,
): Promise<void> {
  let answer: Explained;
  try {
    answer = (await (await clientOf(target)).call("explain", true, question)) as Explained;
  } catch (error) {
    throw refusal(error, ["topic"]);
  }
  if (target.json === true) printAnswer(answer, true);
  else {
    for (const { plugin, decision, rule } of answer.opinions) {
      process.stdout.write(`${plugin}: ${decision}${rule === undefined ? "" : ` (${rule})`}\n`);
    }
    process.stdout.write(`${answer.allowed ? "allowed" : "denied"}\n`);
  }
  if (!answer.allowed) throw new CommandError(`${question.action} ${question.topic} is denied`);
}
