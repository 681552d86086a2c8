// SQLite for Kysely: better-sqlite3 if the user has installed it, otherwise SQLite compiled to WebAssembly, which needs
// neither compiler nor download.
import { type SqliteDatabase, SqliteDialect } from "kysely";
import sqlite from "node-sqlite3-wasm";

type Values = Parameters<InstanceType<typeof sqlite.Database>["all"]>[1];

export async function sqliteDialect(file: string): Promise<SqliteDialect> {
  const database = (await native(file)) ?? wasm(file);
  for (const pragma of ["PRAGMA busy_timeout = 5000", "PRAGMA foreign_keys = ON"]) database.prepare(pragma).all([]);
  return new SqliteDialect({ database });
}

async function native(file: string): Promise<SqliteDatabase | undefined> {
  const name: string = "better-sqlite3"; // not a literal: it may not be there, nor its types
  try {
    const { default: Database } = (await import(name)) as { default: new (file: string) => SqliteDatabase };
    const probe = new Database(":memory:"); // loads the binary, which may be missing though the package is there
    probe.close();
    return new Database(file);
  } catch (error) {
    if (
      error instanceof Error &&
      /bindings file|Cannot find (module|package)|NODE_MODULE_VERSION/.test(error.message)
    ) {
      return undefined;
    }
    throw error;
  }
}

function wasm(file: string): SqliteDatabase {
  const database = new sqlite.Database(file);
  return {
    close: () => database.close(),
    prepare: (text) => ({
      reader: /^\s*(select|with|pragma|explain|values)\b|\breturning\b/i.test(text),
      all: (parameters) => database.all(text, parameters as Values),
      run: (parameters) => database.run(text, parameters as Values),
      iterate: (parameters) => database.all(text, parameters as Values).values(),
    }),
  };
}
