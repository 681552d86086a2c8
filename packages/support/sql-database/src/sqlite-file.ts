// Checks a file before SQLite opens it: SQLite creates a missing file, and reports a file of another kind only at the
// first query.
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseError } from "./database-error.ts";

/** The first bytes of every SQLite database. */
const HEADER = "SQLite format 3\0";

/**
 * @param create the file may be missing
 * @throws DatabaseError ERR_DATABASE_FILE
 */
export function checkSqliteFile(file: string, create: boolean): void {
  const fail = (reason: string, cause?: unknown): never => {
    throw new DatabaseError("ERR_DATABASE_FILE", `${file}: ${reason}`, { cause });
  };
  if (file === ":memory:") return;
  if (!existsSync(file)) {
    if (!create) fail("there is no such file");
    if (!existsSync(dirname(file))) fail("its folder does not exist");
    return;
  }
  const { size } = statSync(file);
  if (statSync(file).isDirectory()) fail("it is a folder, not a database");
  if (size === 0) return; // an SQLite file without tables
  const found = Buffer.alloc(HEADER.length);
  try {
    const opened = openSync(file, "r");
    readSync(opened, found, 0, found.length, 0);
    closeSync(opened);
  } catch (error) {
    fail("it cannot be read", error);
  }
  if (found.toString("latin1") !== HEADER) fail("it is not an SQLite database");
}
