// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax under test
// The published schema and the documentation say what the reader does. After a change of the tables run
// UPDATE_GENERATED=1 pnpm --filter @wrenmq/config test
import { readFileSync, writeFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { defaultConfig, migrate, parseConfig, describe as show } from "../src/index.ts";
import { schemaText, unaligned, withTables } from "./generate.ts";

const schemaFile = new URL("../wrenmq.schema.json", import.meta.url);
const documentFile = new URL("../../../docs/configuration.md", import.meta.url);
const update = process.env["UPDATE_GENERATED"] !== undefined;

test("wrenmq.schema.json is what the tables say", () => {
  if (update) writeFileSync(schemaFile, schemaText());
  expect(readFileSync(schemaFile, "utf8")).toBe(schemaText());
});

test("so are the tables of docs/configuration.md", () => {
  const document = readFileSync(documentFile, "utf8");
  if (update) writeFileSync(documentFile, withTables(document));
  const current = readFileSync(documentFile, "utf8");
  expect(unaligned(withTables(current))).toBe(unaligned(current));
  expect(document.match(/<!-- keys of /g)).toHaveLength(13);
});

describe("the schema", () => {
  const validate = new Ajv2020({ strict: false, allErrors: true }).compile(JSON.parse(schemaText()) as object);
  const accepts = (text: string): boolean => validate(parseYaml(text) ?? {});
  const reads = (text: string): boolean => {
    try {
      parseConfig(text, { style: "native", environment: { V: "1" } });
      return true;
    } catch {
      return false;
    }
  };
  const folder = new URL("fixtures/", import.meta.url).pathname;

  test.each([
    "",
    "limits: { connect_timeout: 30s, maximum_packet_size: 1MiB, message_rate: 5/s, max_connections: unlimited }",
    "limits: { max_inflight: '${V}' }\nsys: { enabled: '${V:-true}' }",
    "listeners: { a: { type: unix, path: x, mode: '0660' }, b: { bind: 1883, access: inherit, limits: null } }",
    "plugins: { anonymous:, staff: { use: password-file, file: x }, own: { use: ./x.js, k: 1 }, '@a/b': { k: 2 } }",
    "plugins: { anonymous: { use: password-file, file: x } }",
    "workers: auto",
  ])("accepts what the reader accepts: %s", (text) => {
    expect(accepts(text), JSON.stringify(validate.errors)).toBe(true);
    if (!text.includes("${V:-true}")) expect(reads(text)).toBe(true);
  });
  test.each([
    "limit: {}",
    "limits: { connect_timeout: 30 }",
    "limits: { max_inflight: 0 }",
    "limits: { overflow: drop }",
    "listeners: { a: { type: tsp } }",
    "listeners: { a: { tls: { certificate_file: c } } }",
    "plugins: { anonymous: { alow: true } }",
    "plugins: { staff: { use: password-file } }",
    "plugins: { anonymous: { use: password-file, allow: true } }",
    "workers: many",
    "sys: { enabled: 'on' }",
  ])("refuses what the reader refuses: %s", (text) => {
    expect([accepts(text), reads(text)]).toEqual([false, false]);
  });
  test("accepts the effective default and migrated files", () => {
    expect(accepts(show(defaultConfig())), JSON.stringify(validate.errors)).toBe(true);
    for (const file of ["07-docs-full-example.yaml", "18-sample-broker-acl.yaml", "88-hbmqtt-docs.yaml"]) {
      expect(accepts(migrate(readFileSync(folder + file, "utf8")).yaml), JSON.stringify(validate.errors)).toBe(true);
    }
  });
});

describe("docs/configuration.md", () => {
  const document = readFileSync(documentFile, "utf8");
  const examples = [...document.matchAll(/```yaml\n([\s\S]*?)```/g)].map((found) => found[1] ?? "");
  test("there are examples", () => expect(examples.length).toBeGreaterThan(3));
  test.each(examples)("its examples are valid: %#", (text) => {
    const readFile = (): string => "wrenmq: 1\n";
    const environment = { DATABASE_PASSWORD: "x" };
    expect(parseConfig(text, { file: "/etc/wrenmq/wrenmq.yaml", readFile, environment }).config.limits).toBeDefined();
  });
});
