// Reading the configuration again.
import { z } from "zod";
import { AdminError } from "../admin-error.ts";
import { definePrimaryCommand } from "../define-command.ts";

export const reload = definePrimaryCommand({
  name: "reload",
  summary: "Read the configuration again and apply what is different; a bad one changes nothing.",
  kind: "write",
  input: z.strictObject({}),
  output: z.object({
    changed: z.boolean(),
    needsRestart: z.array(z.string()).describe("sections whose changes wait for a restart"),
  }),
  cli: { words: "reload" },
  async run({ reload: perform }) {
    if (perform === undefined) throw new AdminError("unavailable", "this broker has no configuration to read again");
    const { changed, needsRestart } = await perform();
    return { changed, needsRestart: [...needsRestart] };
  },
});
