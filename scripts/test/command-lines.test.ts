// Every call of `wrenmq` in a document is one that the command accepts: what an operator copies at three in the morning.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ALL_COMMANDS, inputFromWords } from "../../packages/admin/src/index.ts";
import { members, root } from "../workspace.mjs";
import { callsIn, isCommand, objection } from "./support/command-line.ts";

const markdown = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));

const DOCUMENTS = ["", "docs", "docs/adr", ...members()].flatMap(markdown);

interface Line {
  readonly where: string;
  readonly text: string;
}

function linesOf(document: string, pattern: RegExp): Line[] {
  const text = readFileSync(join(root, document), "utf8");
  return [...text.matchAll(pattern)].flatMap((found) => {
    const line = text.slice(0, found.index).split("\n").length;
    return callsIn(found[1] ?? "").length === 0 ? [] : [{ where: `${document}:${line}`, text: found[1] ?? "" }];
  });
}

const objections = async (line: Line): Promise<string[]> => {
  const found: string[] = [];
  for (const words of callsIn(line.text)) {
    const isMention = words.length > 0 && words.every((word) => /^[a-z-]+$/.test(word)) && (await isCommand(words));
    const wrong = isMention ? undefined : await objection(words);
    if (wrong !== undefined) found.push(`${line.where}: wrenmq ${words.join(" ")}: ${wrong}`);
  }
  return found;
};

describe("calls in documents", () => {
  const documents = DOCUMENTS.map((document) => {
    const blocks = linesOf(document, /```(?:sh|bash|console)\n([\s\S]*?)```/g);
    // Names of brokers in tables of benchmarks are no calls.
    const spans = document.includes("benchmarks") ? [] : linesOf(document, /(?<!`)`(wrenmq [^`\n]+)`(?!`)/g);
    return [document, [...blocks, ...spans]] as const;
  }).filter(([, lines]) => lines.length > 0);

  test.each(documents)("%s", async (_document, lines) => {
    expect((await Promise.all(lines.map(objections))).flat()).toEqual([]);
  });

  test("are found", () => {
    expect(documents.find(([document]) => document === "docs/operations.md")?.[1].length).toBeGreaterThan(40);
  });
});

describe("docs/operations.md", () => {
  const page = readFileSync(join(root, "docs/operations.md"), "utf8");

  test("names keys of the configuration that there are", () => {
    interface Schema {
      readonly $ref?: string;
      readonly $defs?: Readonly<Record<string, Schema>>;
      readonly properties?: Readonly<Record<string, Schema>>;
    }
    const schema = JSON.parse(readFileSync(join(root, "packages/config/wrenmq.schema.json"), "utf8")) as Schema;
    const resolved = (one: Schema | undefined): Schema | undefined =>
      one?.$ref === undefined ? one : schema.$defs?.[one.$ref.replace("#/$defs/", "")];
    const keys = [...page.matchAll(/`((?:limits|session|store|admin|log|shared)\.[a-z_]+)`/g)].map(
      ([, key = ""]) => key,
    );
    expect(keys.length).toBeGreaterThanOrEqual(5);
    const unknown = keys.filter((key) => {
      const [section = "", name = ""] = key.split(".");
      return resolved(schema.properties?.[section])?.properties?.[name] === undefined;
    });
    expect(unknown).toEqual([]);
  });

  test("explains every outcome that a message can have for a client", () => {
    const source = readFileSync(join(root, "packages/broker/src/operations/topic-recipients.ts"), "utf8");
    const union = /export type Outcome =([^;]*);/.exec(source)?.[1] ?? "";
    const outcomes = [...union.matchAll(/"(\w+)"/g)].map(([, outcome]) => outcome);
    expect(outcomes.length).toBeGreaterThan(5);
    for (const outcome of outcomes) expect(page).toMatch(new RegExp(`^ *\\| \`${outcome}\` +\\|`, "m"));
  });
});

test("the addresses in docs/operations.md are those of commands, with fields that they have", () => {
  const text = readFileSync(join(root, "docs/operations.md"), "utf8");
  const addresses = [...text.matchAll(/(GET|POST) (?:\/api\/v1)?\/([a-z]+(?:\.[a-zA-Z]+)?)(\?[^`\s)]+)?/g)].filter(
    ([, , name = ""]) => !["metrics", "readyz", "healthz"].includes(name),
  );
  expect(addresses.length).toBeGreaterThan(15);
  for (const [address, method, name = "", query = ""] of addresses) {
    const command = ALL_COMMANDS.find((one) => one.name === name);
    expect([address, command?.kind === "read" ? "GET" : "POST"]).toEqual([address, method]);
    if (command === undefined || method === "POST") continue;
    const { error } = command.input.safeParse(inputFromWords(command, new URLSearchParams(query)));
    expect([address, error?.issues]).toEqual([address, undefined]);
  }
});

test.each([
  ["wrenmq nonsense", /nonsense/],
  ["wrenmq start --no-such-option", /no-such-option/],
  ["wrenmq sessions --sort nonsense", /sort/],
  ["wrenmq clients --limit 0", /limit/],
  ["wrenmq drain --rate fast", /rate/],
  ["wrenmq kick", /client-id/],
  ["wrenmq kick a b", /too many arguments/],
  ["wrenmq trace --client c --for soon", /time such as/],
  ["ssh host 'wrenmq' --x | wrenmq store frobnicate", /x/],
])("what is wrong is found: %s", async (text, expected) => {
  const found = await Promise.all(callsIn(text).map(objection));
  expect(found.find((one) => one !== undefined)).toMatch(expected);
});

test("what is around a call is left out", () => {
  expect(callsIn("NODE_OPTIONS=x sudo wrenmq store export DATA | ssh new wrenmq store import DATA # wrenmq x")).toEqual(
    [
      ["store", "export", "DATA"],
      ["store", "import", "DATA"],
    ],
  );
  expect(callsIn("wrenmq retained --filter 'a/#' > out.txt && wrenmq start \\\n  --workers N")).toEqual([
    ["retained", "--filter", "a/#"],
    ["start", "--workers", "2"],
  ]);
});
