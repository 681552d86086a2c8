// `wrenmq explain`: who decides what about a topic, without a client.
import { Command, Option } from "commander";
import type { ExplainOptions } from "./explain.ts";

export function explainCommand(): Command {
  return new Command("explain")
    .description("say what each plugin of a configuration thinks of a user's access to a topic")
    .argument("<topic>", "topic name; a filter for subscribe")
    .requiredOption("-c, --config <file>", "configuration")
    .option("-u, --user <name>", "user name; without it: a client without one")
    .option("-i, --client-id <id>", "client identifier", "explain")
    .option("--listener <name>", "listener that the client uses; without it: the first")
    .addOption(
      new Option("-a, --action <action>", "what the client wants")
        .choices(["publish", "subscribe", "receive"])
        .default("publish"),
    )
    .action(async (topic: string, options: ExplainOptions) => {
      const { explain } = await import("./explain.ts");
      await explain(topic, options);
    });
}
