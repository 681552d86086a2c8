// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax under test
// Damaged files: whatever is wrong, it is said with a ConfigError, and every mistake has a line.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError, detectStyle, fromObject, migrate, parseConfig } from "../src/index.ts";

const folder = new URL("fixtures/", import.meta.url).pathname;
const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
const native = migrate(readFileSync(`${folder}07-docs-full-example.yaml`, "utf8")).yaml;

/** Always the same numbers: a failure can be seen again. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const WORDS = [
  "",
  "null",
  "on",
  "-1",
  "[]",
  "{}",
  "[a, b]",
  "'x'",
  "&a",
  "*a",
  "!!set",
  "1e9",
  "%",
  "\t",
  "- ",
  ": ",
  "${",
];

function damaged(text: string, random: () => number): string {
  const lines = text.split("\n");
  const at = Math.floor(random() * lines.length);
  const word = WORDS[Math.floor(random() * WORDS.length)] ?? "";
  const line = lines[at] ?? "";
  const kind = Math.floor(random() * 5);
  if (kind === 0) lines.splice(at, 1);
  else if (kind === 1) lines.splice(at, 0, line);
  else if (kind === 2) lines[at] = line.replace(/:.*/, `: ${word}`);
  else if (kind === 3) lines[at] = ` ${line}`;
  else lines[at] = line.slice(0, Math.floor(random() * line.length)) + word;
  return lines.join("\n");
}

function attempt(text: string): void {
  try {
    detectStyle(text);
    migrate(text);
    parseConfig(text, { environment: {} });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw new Error(`not a ConfigError for:\n${text}`, { cause: error });
    expect(error.diagnostics.length).toBeGreaterThan(0);
    for (const { line, message } of error.diagnostics) {
      expect(message, text).not.toMatch(/undefined|\[object/);
      expect(line, `${message}\n${text}`).toBeGreaterThan(0);
    }
  }
}

describe("damaged files", () => {
  test.each(files)("%s", (file) => {
    const text = readFileSync(folder + file, "utf8");
    const random = numbers(files.indexOf(file) + 1);
    for (let round = 0; round < 40; round += 1) attempt(damaged(damaged(text, random), random));
  });
  test("a native file", () => {
    const random = numbers(99);
    for (let round = 0; round < 300; round += 1) attempt(damaged(damaged(native, random), random));
  });
  test("objects that are nothing of the kind", () => {
    for (const nonsense of [
      7,
      "text",
      [],
      true,
      Symbol("s"),
      () => 1,
      new Map(),
      10n,
      { listeners: 7 },
      { plugins: "x" },
    ]) {
      expect(() => fromObject(nonsense), String(nonsense)).toThrow(ConfigError);
    }
    expect(fromObject(undefined).config).toEqual(fromObject({}).config);
  });
});
