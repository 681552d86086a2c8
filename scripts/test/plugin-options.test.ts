// What a packaged plugin declares of its options is the one source: the configuration file's keys are made from it, and so is
// the table of docs/plugins.md. After a change run UPDATE_GENERATED=1 npx vitest run --project repository plugin-options
import { readFileSync, writeFileSync } from "node:fs";
import type { Option, SchemaOf } from "@wrenmq/plugin-api/options";
import { describe, expect, test } from "vitest";
import { BUILT_IN, BUILT_IN_SCHEMAS } from "../../packages/config/src/sections/plugins.ts";
import { BUILT_IN_PLUGINS } from "../../packages/host/src/plugins/built-in.ts";
import { folderOf } from "../workspace.mjs";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const guideFile = new URL("../../docs/plugins.md", import.meta.url);

/** The names that a plugin tells whoever gives it one that it does not know. */
function optionsOf(make: (options: never) => unknown): string[] {
  try {
    make({ "no such option": 1 } as never);
  } catch (error) {
    const { message } = error as Error;
    if (message.includes("there are none")) return [];
    const known = /known are ([^;]*)/.exec(message)?.[1];
    if (known !== undefined) return known.split(", ");
  }
  throw new Error("it does not say which options it knows");
}

/** As the table of the packaged plugins says it. */
function packageOf(name: string): string | undefined {
  const rows = read("docs/plugins.md")
    .split("\n")
    .map((row) => /^\| (`.*?) +\| `@wrenmq\/([a-z0-9-]+)`/.exec(row));
  return rows.find((row) => row?.[1]?.includes(`\`${name}\``))?.[2];
}

const code = (value: unknown): string => `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;

/** "`reloadIntervalSeconds` (2 s)" */
function described([name, { form, needed, default: byDefault }]: [string, Option<unknown, unknown>]): string {
  const shown = (): string | undefined => {
    if (form?.kind === "choice") {
      const others = form.words.filter((word) => word !== byDefault).map(code);
      return byDefault === undefined ? others.join(", ") : `${code(byDefault)}, or ${others.join(", ")}`;
    }
    if (byDefault === undefined) return needed ? "needed" : undefined;
    if (form?.kind === "duration") return `${String(byDefault)} ${form.unit}`;
    if (form?.kind === "size") return `${String(byDefault)} bytes`;
    if (Array.isArray(byDefault)) return byDefault.length === 0 ? undefined : byDefault.map(code).join(", ");
    return form?.kind === "text" ? code(byDefault) : String(byDefault);
  };
  const inBrackets = shown();
  return `\`${name}\`${inBrackets === undefined ? "" : ` (${inBrackets})`}`;
}

function table(): string {
  const rows = Object.entries<SchemaOf<unknown>>(BUILT_IN_SCHEMAS).map(([name, { fields }]) => {
    const options = Object.entries(fields).map(described);
    return `| \`${name}\` | ${options.length === 0 ? "none" : options.join(", ")} |`;
  });
  return ["| plugin | options (default) |", "| --- | --- |", ...rows].join("\n");
}

/** Markdown without the alignment of its tables, which the formatter owns. */
const unaligned = (text: string): string => text.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---");
const withTable = (text: string): string =>
  text.replace(
    /(<!-- options of plugins -->\n)[\s\S]*?(<!-- end -->)/,
    (_all, start: string, end: string) => `${start}\n${table()}\n\n${end}`,
  );

test("the table of options in docs/plugins.md is what the plugins declare", () => {
  // biome-ignore lint/suspicious/noUndeclaredEnvVars: for whoever runs this test by hand
  if (process.env["UPDATE_GENERATED"] !== undefined) writeFileSync(guideFile, withTable(read("docs/plugins.md")));
  const guide = read("docs/plugins.md");
  expect(unaligned(withTable(guide))).toBe(unaligned(guide));
  expect(guide).toContain("<!-- options of plugins -->");
});

describe.each(Object.entries(BUILT_IN_PLUGINS))("%s", (name, load) => {
  const plugin = name as keyof typeof BUILT_IN;
  const fields = Object.keys(BUILT_IN[plugin].fields);

  test("it takes the options that it declares, and each has words for the documentation", async () => {
    expect(optionsOf(await load()).toSorted()).toEqual(fields.toSorted());
    const { fields: declared, doc } = BUILT_IN_SCHEMAS[plugin];
    const silent = Object.entries(declared).filter(([, { about, form }]) => about === undefined || form === undefined);
    expect([silent, doc]).toEqual([[], expect.stringMatching(/\.$/)]);
  });

  test("the package's README has them all", () => {
    const readme = read(`${folderOf(packageOf(name) ?? "")}/README.md`);
    expect(fields.filter((option) => !readme.includes(`\`${option}\``))).toEqual([]);
  });
});
