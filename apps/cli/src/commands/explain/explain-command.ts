// `wrenmq explain`: its options.
import { Command, Option } from "commander";
import { type TargetWords, withTarget } from "../../admin/target.ts";
import { UsageError } from "../../errors.ts";
import type { ExplainOptions } from "./explain.ts";

export function explainCommand(): Command {
  const command = new Command("explain")
    .description("say what each plugin of a configuration, or of a broker that runs, thinks of access to a topic")
    .argument("<topic>", "topic name; a filter for subscribe")
    .option("-c, --config <file>", "configuration; without it a broker that runs is asked about a client of it")
    .option("-u, --user <name>", "user name; without it: a client without one")
    .option("-i, --client-id <id>", "client identifier", "explain")
    .option("--listener <name>", "listener that the client uses; without it: the first")
    .addOption(
      new Option("-a, --action <action>", "what the client wants")
        .choices(["publish", "subscribe", "receive"])
        .default("publish"),
    );
  return withTarget(command).action(async (topic: string, options: ExplainOptions & TargetWords) => {
    const { config, user, listener, action, clientId } = options;
    if (config === undefined) {
      if (user !== undefined || listener !== undefined) throw new UsageError("--user and --listener need --config");
      const { explainRunning } = await import("../../admin/explain-running.ts");
      await explainRunning({ topic, action, clientId }, options);
      return;
    }
    const { explain } = await import("./explain.ts");
    await explain(topic, { ...options, config });
  });
}
