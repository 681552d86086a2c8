// Reading the configuration again.
import { z } from "zod";
import { AdminError } from "../admin-error.ts";
import { definePrimaryCommand, EFFECTS } from "../define-command.ts";
import { dryRun } from "./fields.ts";

export const reload = definePrimaryCommand({
  name: "reload",
  summary: "Read the configuration again and apply what is different, or only say what is; a bad one changes nothing.",
  kind: "write",
  input: z.strictObject({ dryRun }),
  output: z.object({
    changed: z.boolean().describe("is anything different?"),
    needsRestart: z.array(z.string()).describe("sections whose changes wait for a restart"),
    changes: z.array(
      z.object({
        key: z.string(),
        before: z.string().optional().describe("absent: there was none"),
        after: z.string().optional().describe("absent: there is none any more"),
        effect: z
          .enum(EFFECTS)
          .describe(
            "now: at once, clients stay; opens, closes, moves: a listener (clients of one that closes or moves are disconnected); starts, stops, startsAgain: a plugin; order: of plugins; restart: not before a restart",
          ),
      }),
    ),
    warnings: z.array(z.string()),
    source: z.string().optional().describe("path of the configuration; absent: there is no file"),
  }),
  cli: { words: "reload" },
  async run({ reload: perform }, how) {
    if (perform === undefined) throw new AdminError("unavailable", "this broker has no configuration to read again");
    const { changed, needsRestart, changes = [], warnings = [], source, problem } = await perform(how);
    if (problem !== undefined) throw new AdminError("conflict", problem);
    const common = { changed, needsRestart: [...needsRestart], changes: [...changes], warnings: [...warnings] };
    return { ...common, ...(source === undefined ? {} : { source }) };
  },
});
