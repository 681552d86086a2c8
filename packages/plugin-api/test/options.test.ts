import { describe, expect, test } from "vitest";
import { definePlugin } from "../src/index.ts";
import {
  about,
  bytes,
  count,
  filePath,
  keyOf,
  list,
  milliseconds,
  optional,
  options,
  record,
  seconds,
  secret,
  secretUrl,
  string,
  text,
  withDefault,
} from "../src/options/index.ts";

const schema = options(
  {
    file: about("Where.", filePath()),
    password: about("Not shown.", optional(secret())),
    database: about("Where, too.", optional(secretUrl("a database URL"))),
    cacheSeconds: about("How long.", seconds({ default: 10 })),
    timeout: about("How long at most.", milliseconds({ min: 1, max: 100, default: 50 })),
    maxDelay: about("The longest.", milliseconds({ default: 4 }), "maximum_delay"),
    maxBytes: about("How much.", bytes({ min: 2, default: 8192 })),
    tries: about("How often.", count({ default: 3 })),
    path: about("Of a question.", text("a path", { default: "/" })),
    names: about("Of whom.", withDefault(list(string(), "a list of names"), ["x"])),
    rules: about("For whom.", optional(record(list(text("a rule")), "a mapping of names to rules"))),
  },
  { doc: "An example.", check: ({ tries }) => (tries === 13 ? "tries: not that many" : undefined) },
);
const issues = (given: object): string[] => {
  const result = schema["~standard"].validate({ file: "f", ...given });
  if (result instanceof Promise) throw new Error("asynchronous");
  return (result.issues ?? []).map(({ message, path = [] }) => [...path, message].join(": "));
};

describe("options say how they are written in a file", () => {
  test.each([
    ["file", { kind: "file" }],
    ["password", { kind: "secret" }],
    ["database", { kind: "secret-url", what: "a database URL" }],
    ["cacheSeconds", { kind: "duration", unit: "s", positive: false }],
    ["timeout", { kind: "duration", unit: "ms", positive: true }],
    ["maxBytes", { kind: "size", min: 2 }],
    ["tries", { kind: "count" }],
    ["path", { kind: "text", what: "a path" }],
    ["names", { kind: "list", item: { kind: "text", what: "text" }, what: "a list of names" }],
    [
      "rules",
      {
        kind: "map",
        item: { kind: "list", item: { kind: "text", what: "a rule" }, what: undefined },
        what: "a mapping of names to rules",
      },
    ],
  ] as const)("%s", (name, form) => {
    expect(schema.fields[name].form).toEqual(form);
  });

  test("under which key: without the unit, which stands in the value", () => {
    const keys = Object.entries(schema.fields).map(([name, option]) => keyOf(name, option.about));
    expect(keys).toEqual([
      "file",
      "password",
      "database",
      "cache",
      "timeout",
      "maximum_delay",
      "max_bytes",
      "tries",
      "path",
      "names",
      "rules",
    ]);
  });

  test("with words, and with what counts when they are left out", () => {
    expect(schema.doc).toBe("An example.");
    expect(schema.fields.file).toMatchObject({ about: { doc: "Where." }, needed: true });
    expect(Object.values(schema.fields).map((option) => option.default)).toEqual([
      undefined,
      undefined,
      undefined,
      10,
      50,
      4,
      8192,
      3,
      "/",
      ["x"],
      undefined,
    ]);
  });
});

test.each([
  [{ cacheSeconds: -1 }, ["cacheSeconds: expected a number of seconds, got -1"]],
  [{ timeout: 0 }, ["timeout: expected a number of milliseconds from 1 up to 100, got 0"]],
  [{ maxBytes: 2.5 }, ["maxBytes: expected a number of bytes from 2, got 2.5"]],
  [{ tries: -1 }, ["tries: expected a whole number from 0, got -1"]],
  [{ password: "" }, ['password: expected a text that is not empty, got ""']],
  [{ tries: 13 }, ["tries: not that many"]],
  [{ cacheSeconds: 0, tries: 0, maxBytes: 2 }, []],
])("%j", (given, expected) => {
  expect(issues(given)).toEqual(expected);
});

test("a plugin without options says that there are none", () => {
  const make = definePlugin({ name: "bare", config: options({}), hooks: () => ({}) });
  expect(() => make({ x: 1 } as never)).toThrow("x: unknown option; there are none");
});
