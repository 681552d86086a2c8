// What is known of a file before SQLite opens it: SQLite makes one that is not there, and finds out at the first query that
// it is something else.
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseError } from "./database-error.ts";

/** What every SQLite database begins with. */
const HEADER = "SQLite format 3\0";

/** @param create it may be made. @throws DatabaseError ERR_DATABASE_FILE */
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
  if (size === 0) return; // as SQLite makes it, until there is a table
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
