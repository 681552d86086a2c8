import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDatabase, parseDatabaseUrl } from "../src/index.ts";

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
