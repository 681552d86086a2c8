import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestHost } from "@wrenmq/plugin-api/testing";
import { afterAll, expect, test } from "vitest";
import { authSql } from "../src/index.ts";
import { readList } from "../src/tables.ts";
import { describeDatabase } from "./sql-suite.ts";

const folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeDatabase("SQLite", () => `sqlite:///${join(folder, "auth.db")}`);

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
  ["", []],
  [null, []],
  ['{"a":1}', []],
  ["[1]", []],
])("a stored list %j is %j", (stored, list) => {
  expect(readList(stored)).toEqual(list);
});
