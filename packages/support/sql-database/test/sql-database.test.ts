import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { databaseReason, openDatabase, parseDatabaseUrl } from "../src/index.ts";

test.each([
  ["sqlite:///auth.db", "sqlite", "auth.db"],
  ["sqlite:////var/lib/auth.db", "sqlite", "/var/lib/auth.db"],
  ["sqlite+aiosqlite:///auth.db", "sqlite", "auth.db"],
  ["sqlite://", "sqlite", ":memory:"],
  ["sqlite:///:memory:", "sqlite", ":memory:"],
  ["sqlite:auth.db", "sqlite", "auth.db"],
  ["postgresql+asyncpg://u:p@h:5432/db", "postgres", "postgresql://u:p@h:5432/db"],
  ["postgres://h/db", "postgres", "postgresql://h/db"],
  ["mysql+aiomysql://u@h/db", "mysql", "mysql://u@h/db"],
  ["mariadb://u@h/db", "mysql", "mysql://u@h/db"],
])("%s", (url, kind, target) => {
  expect(parseDatabaseUrl(url)).toEqual({ kind, target });
});

test.each(["", "auth.db", "oracle://x", "postgresql:x", "constructor://x"])("no database: %j", (url) => {
  expect(() => parseDatabaseUrl(url)).toThrowError(expect.objectContaining({ code: "ERR_DATABASE_URL" }));
});

test("SQLite keeps what is written, and a second look finds it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
  const url = `sqlite:///${join(folder, "t.db")}`;
  interface Tables {
    t: { id: number; name: string };
  }
  const first = await openDatabase<Tables>(url);
  await first.db.schema.createTable("t").ifNotExists().addColumn("id", "integer").addColumn("name", "text").execute();
  const inserted = await first.db.insertInto("t").values({ id: 1, name: "'; DROP TABLE t; --" }).executeTakeFirst();
  expect(inserted.numInsertedOrUpdatedRows).toBe(1n);
  await first.db.destroy();
  const second = await openDatabase<Tables>(url);
  expect(await second.db.selectFrom("t").selectAll().execute()).toEqual([{ id: 1, name: "'; DROP TABLE t; --" }]);
  await second.db.destroy();
  rmSync(folder, { recursive: true });
});

describe("a file that is no SQLite database is said before it is opened", () => {
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), "wrenmq-"));
    onTestFinished(() => rmSync(made, { recursive: true }));
    return made;
  };

  test.each([
    ["is not there, and none is to be made", () => {}, { create: false }, "there is no such file"],
    ["another file", (file: string) => writeFileSync(file, "x".repeat(200)), {}, "it is not an SQLite database"],
    ["a short one", (file: string) => writeFileSync(file, "SQLite"), {}, "it is not an SQLite database"],
    ["a folder", (file: string) => mkdirSync(file), {}, "it is a folder, not a database"],
  ])("%s", async (_what, make, options, reason) => {
    const inside = folder();
    const file = join(inside, "a.db");
    make(file);
    const before = readdirSync(inside);
    const opening = openDatabase(`sqlite:///${file}`, options);
    await expect(opening).rejects.toMatchObject({ code: "ERR_DATABASE_FILE", message: `${file}: ${reason}` });
    expect(readdirSync(inside)).toEqual(before);
  });

  test("an empty file is one without tables, and one that is not there is made", async () => {
    const file = join(folder(), "a.db");
    writeFileSync(file, "");
    await (await openDatabase(`sqlite:///${file}`, { create: false })).db.destroy();
    await (await openDatabase(`sqlite:///${file}.new`)).db.destroy();
    expect(existsSync(`${file}.new`)).toBe(true);
  });

  test("what a query reports is said in words", async () => {
    const { db } = await openDatabase<{ t: { id: number } }>("sqlite://");
    const failed: unknown = await db
      .selectFrom("t")
      .selectAll()
      .execute()
      .catch((error: unknown) => error);
    expect(databaseReason(failed)).toBe("a table is missing");
    await db.destroy();
    expect(databaseReason(Object.assign(new Error("raw"), { code: "28P01", severity: "FATAL" }))).toBe(
      "it refuses the user or the password",
    );
    expect(databaseReason(Object.assign(new Error("raw"), { code: "XX999", severity: "FATAL" }))).toBe(
      "it reports the error XX999",
    );
    expect(databaseReason(new Error("something else"))).toBeUndefined();
  });
});
