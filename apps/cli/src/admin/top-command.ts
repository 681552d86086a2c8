// `wrenmq top`: its options.
import { Command, InvalidArgumentError } from "commander";
import { type TargetWords, withTarget } from "./target.ts";

export function topCommand(): Command {
  return withTarget(
    new Command("top")
      .description("show the numbers and the longest queues again and again")
      .option("-n, --count <number>", "stop after so many pages", (word) => {
        if (/^[1-9]\d{0,8}$/.test(word)) return Number(word);
        throw new InvalidArgumentError("A whole number from 1.");
      }),
  ).action(async (options: TargetWords & { readonly count?: number }) => {
    const { top } = await import("./top.ts");
    await top(options, options.count ?? Number.POSITIVE_INFINITY);
  });
}
