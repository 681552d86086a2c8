// The rule of CONTRIBUTING.md about public options, held against the sources: their names, units and defaults.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { members, root } from "../workspace.mjs";

/** What embedders and authors of plugins write, and what a configuration file is read into. */
const OPTIONS = /(?:Options|Config|Policy|Limits|Section)$/;
/** MQTT counts these in seconds, and so do the options. */
const OF_THE_STANDARD = /^keepAlive|Expiry|^willDelayInterval$/;

interface Property {
  readonly place: string;
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly doc: string;
}

/** Is a name exported by one of the package's entry points? What only its own files use is not checked. */
function exportedBy(folder: string, sources: readonly string[]): (name: string) => boolean {
  const entries = sources.filter((path) => /(?:^|\/)(?:index|options)\.ts$/.test(path));
  const text = entries.map((path) => readFileSync(join(root, folder, "src", path), "utf8")).join("\n");
  return (name) => new RegExp(`\\b${name}\\b`).test(text);
}

function optionsOf(folder: string): Property[] {
  const sources = readdirSync(join(root, folder, "src"), { recursive: true, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".ts") && !name.startsWith("testing/"));
  const isExported = exportedBy(folder, sources);
  return sources.flatMap((path) => {
    const text = readFileSync(join(root, folder, "src", path), "utf8");
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    return file.statements
      .filter((one) => ts.isInterfaceDeclaration(one))
      .filter(({ name }) => OPTIONS.test(name.text) && isExported(name.text))
      .flatMap((one) =>
        one.members.filter(ts.isPropertySignature).map((member) => ({
          place: `${folder}/src/${path} ${one.name.text}`,
          name: member.name.getText(),
          type: member.type?.getText() ?? "",
          optional: member.questionToken !== undefined,
          doc: text.slice(member.getFullStart(), member.getStart()).trim(),
        })),
      );
  });
}

const all = members()
  .filter((folder) => folder.startsWith("packages/") && existsSync(join(root, folder, "src")))
  .flatMap(optionsOf);
const numbers = all.filter(({ type }) => /^(?:number|Millis|Seconds)(?: \| undefined)?$/.test(type));
const shown = (found: readonly Property[]): string[] => found.map(({ place, name, doc }) => `${place}.${name}: ${doc}`);

test("a duration is milliseconds and its name has no unit; seconds are in the name, except what MQTT counts in seconds", () => {
  expect(numbers.length).toBeGreaterThan(50);
  expect(shown(all.filter(({ name }) => /(?:Ms|Millis|Milliseconds|Secs?)$/.test(name)))).toEqual([]);
  const inSeconds = numbers.filter(({ type, doc }) => type.startsWith("Seconds") || /\bSeconds\b/i.test(doc));
  const unnamed = inSeconds.filter(({ name }) => !name.endsWith("Seconds") && !OF_THE_STANDARD.test(name));
  expect(shown(unnamed)).toEqual([]);
  const times = numbers.filter(({ name }) => /(?:Timeout|Interval|Delay|Time|Period)$/i.test(name));
  const unsaid = times.filter(({ name, doc }) => !OF_THE_STANDARD.test(name) && !/\bmilliseconds\b/i.test(doc));
  expect(shown(unsaid)).toEqual([]);
});

test("the doc comment of an option says what holds when it is left out", () => {
  const states = /\b(?:defaults?|absent|without)\b/i;
  const simple = /^(?:number|boolean|string|"|Millis|Seconds)/;
  const optional = all.filter((one) => one.optional && simple.test(one.type) && !/Section$/.test(one.place));
  expect(optional.length).toBeGreaterThan(50);
  expect(shown(optional.filter(({ doc }) => !states.test(doc)))).toEqual([]);
});
