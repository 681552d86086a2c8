// `wrenmq sub`: its options.
import type { Command } from "commander";
import { clientCommand, positive } from "../../client/client-command.ts";
import { collect } from "../../option-values.ts";
import type { SubOptions } from "./sub.ts";

export function subCommand(): Command {
  return clientCommand("sub", "subscribe, and print what is published")
    .requiredOption("-t, --topic <filter>", "topic filter; may be repeated", collect)
    .option("-n, --count <number>", "stop after so many messages", positive)
    .option("-v, --verbose", "print the topic before each message")
    .action(async (options: SubOptions) => {
      const { subscribe } = await import("./sub.ts");
      await subscribe(options);
    });
}
