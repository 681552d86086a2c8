// What a packaged plugin can be told, the configuration file knows and the documents say: nothing falls behind.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BUILT_IN_PLUGINS } from "../../apps/cli/src/plugins/built-in.ts";
import { BUILT_IN } from "../../packages/config/src/sections/plugins.ts";
import { folderOf } from "../workspace.mjs";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const guide = read("docs/plugins.md");

/** The names that a plugin tells whoever gives it one that it does not know. */
function optionsOf(make: (options: never) => unknown): string[] {
  try {
    make({ "no such option": 1 } as never);
  } catch (error) {
    const { message } = error as Error;
    if (message.includes("takes no options")) return [];
    const known = /known are ([^;]*)/.exec(message)?.[1];
    if (known !== undefined) return known.split(", ");
  }
  throw new Error("it does not say which options it knows");
}

/** As the table of the packaged plugins says it. */
function packageOf(name: string): string | undefined {
  const rows = guide.split("\n").map((row) => /^\| (`.*?) +\| `@wrenmq\/([a-z0-9-]+)`/.exec(row));
  return rows.find((row) => row?.[1]?.includes(`\`${name}\``))?.[2];
}

describe.each(Object.entries(BUILT_IN_PLUGINS))("%s", (name, load) => {
  const fields = Object.keys(BUILT_IN[name as keyof typeof BUILT_IN].fields);

  test("its options can be given in the configuration file, and no others", async () => {
    expect(fields.toSorted()).toEqual(optionsOf(await load()).toSorted());
  });

  test("docs/plugins.md and the package's README have them all", () => {
    const ofGuide = guide.split("\n").filter((line) => line.startsWith(`| \`${name}\` `));
    expect(fields.filter((option) => !ofGuide.some((row) => row.includes(`\`${option}\``)))).toEqual([]);
    const readme = read(`${folderOf(packageOf(name) ?? "")}/README.md`);
    expect(fields.filter((option) => !readme.includes(`\`${option}\``))).toEqual([]);
  });
});
