// The plugins of the broker, and how they do.
import { z } from "zod";
import { defineClusterCommand } from "../define-command.ts";
import { dateOf } from "./fields.ts";
import { sumOf } from "./merging.ts";

const plugin = z.object({
  name: z.string(),
  hooks: z.array(z.string()),
  decides: z.boolean().describe("false: it only watches"),
  failures: z.int().describe("calls of its hooks that threw or took too long, since it was started"),
  lastFailureAt: z.string().optional().describe("ISO 8601"),
  lastFailure: z.string().optional().describe("hook and message"),
});

type Plugin = z.output<typeof plugin>;

export const pluginsList = defineClusterCommand({
  name: "plugins.list",
  summary: "List the plugins in the order in which they are asked, with their hooks and failures.",
  kind: "read",
  input: z.strictObject({}),
  output: z.object({
    items: z.array(plugin),
    hookFailures: z.int().describe("hooks that failed since the broker's start, also of plugins that are gone"),
  }),
  cli: { words: "plugins" },
  run: ({ broker }) => ({
    items: [...broker.operations.plugins()].map(({ name, hooks, decides, failures, lastFailure }): Plugin => {
      const last = lastFailure && {
        lastFailureAt: dateOf(lastFailure.at),
        lastFailure: `${lastFailure.hook}: ${lastFailure.message}`,
      };
      return { name, hooks: [...hooks], decides, failures, ...last };
    }),
    hookFailures: broker.metrics().hookFailures,
  }),
  // All members have the same plugins; each has its own failures.
  merge: (parts) => ({
    items: parts[0].items.map((first) => mergedOf(first, parts)),
    hookFailures: sumOf(parts, "hookFailures"),
  }),
});

function mergedOf(first: Plugin, parts: readonly { readonly items: readonly Plugin[] }[]): Plugin {
  const all = parts.flatMap(({ items }) => items.filter(({ name }) => name === first.name));
  const [latest = first] = all.toSorted((one, other) =>
    (other.lastFailureAt ?? "").localeCompare(one.lastFailureAt ?? ""),
  );
  return { ...latest, failures: sumOf(all, "failures") };
}
