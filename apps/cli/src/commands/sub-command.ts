// `wrenmq sub`: its options.
import type { Command } from "commander";
import { type ClientOptions, clientCommand, positive } from "../client/client-command.ts";

export interface SubOptions extends ClientOptions {
  readonly topic: readonly string[];
  readonly count?: number;
  readonly verbose?: boolean;
}

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

function collect(word: string, before: readonly string[] = []): string[] {
  return [...before, word];
}
