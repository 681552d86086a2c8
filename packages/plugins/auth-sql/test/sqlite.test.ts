import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestHost } from "@wrenmq/plugin-api/testing";
import { afterAll, expect, test } from "vitest";
import { authSql } from "../src/index.ts";
import { readList, writeList } from "../src/tables.ts";
import { describeAmqttDatabase } from "./amqtt-suite.ts";
import { SQLITE_FILE } from "./amqtt-tables.ts";
import { describeDatabase } from "./sql-suite.ts";

const folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeDatabase("SQLite", () => `sqlite:///${join(folder, "auth.db")}`);
describeAmqttDatabase(
  "SQLite",
  () => `sqlite+aiosqlite:///${join(folder, "amqtt.db")}`,
  async () => copyFileSync(SQLITE_FILE, join(folder, "amqtt.db")),
);

test("a list is written as aMQTT reads it", () => {
  expect(writeList(["a/#", 'b"c'])).toBe('[{"topic":"a/#"},{"topic":"b\\"c"}]');
});

test("syncSchema makes the tables", async () => {
  const connection = `sqlite:///${join(folder, "new.db")}`;
  const host = await TestHost.start([authSql({ connection, syncSchema: true })]);
  await host.close();
});

test("an impossible connection stops the start without showing its password", async () => {
  const start = TestHost.start([authSql({ connection: "oracle://u:hush@h/db" })]);
  await expect(start).rejects.toMatchObject({ code: "ERR_PLUGIN_START" });
  await expect(start).rejects.not.toThrow("hush");
});

test.each([
  ['["a","b"]', ["a", "b"]],
  [["a"], ["a"]],
  ['[{"topic":"a/#"},"b"]', ["a/#", "b"]],
  [[{ topic: "a/#" }], ["a/#"]],
  ["[]", []],
  ["null", []],
  ["", []],
  [null, []],
  ['{"a":1}', undefined],
  ["[1]", undefined],
  ['[{"filter":"a"}]', undefined],
  ["a/#", undefined],
])("a stored list %j is %j", (stored, list) => {
  expect(readList(stored)).toEqual(list);
});
