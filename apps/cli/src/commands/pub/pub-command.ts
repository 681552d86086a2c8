// `wrenmq pub`: its options.
import { type Command, Option } from "commander";
import { clientCommand } from "../../client/client-command.ts";
import type { PubOptions } from "./pub.ts";

export function pubCommand(): Command {
  return clientCommand("pub", "publish messages")
    .requiredOption("-t, --topic <topic>", "topic to publish to")
    .option("-m, --message <text>", "the message")
    .option("-f, --file <file>", "one message for each line of a file")
    .option("-s, --stdin", "the message is all of standard input")
    .option("-l, --lines", "one message for each line of standard input")
    .addOption(new EmptyMessage("-n, --no-message", "an empty message"))
    .option("-r, --retain", "keep the message for later subscribers")
    .action(async (options: PubOptions) => {
      const { publish } = await import("./pub.ts");
      await publish(options);
    });
}

/** `--no-message` is not the negation of `--message` here. */
class EmptyMessage extends Option {
  constructor(flags: string, description: string) {
    super(flags, description);
    this.negate = false;
  }
  override attributeName(): string {
    return "nothing";
  }
  override name(): string {
    return "no-message";
  }
}
