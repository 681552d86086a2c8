// Plain words for errors of a database, whose own messages are about SQL.

/** Codes of PostgreSQL (SQLSTATE), MySQL and MariaDB. */
const CODES: Readonly<Record<string, string>> = {
  "28P01": "it refuses the user or the password",
  "28000": "it refuses the user or the password",
  "3D000": "there is no database of this name",
  "42P01": "a table is missing",
  "42703": "a column is missing",
  "42501": "the user may not do this",
  "53300": "it has too many connections",
  "57P03": "it is starting up",
  ER_ACCESS_DENIED_ERROR: "it refuses the user or the password",
  ER_DBACCESS_DENIED_ERROR: "the user may not use this database",
  ER_BAD_DB_ERROR: "there is no database of this name",
  ER_NO_SUCH_TABLE: "a table is missing",
  ER_BAD_FIELD_ERROR: "a column is missing",
  ER_TABLEACCESS_DENIED_ERROR: "the user may not do this",
  ER_CON_COUNT_ERROR: "it has too many connections",
};

const SQLITE: readonly (readonly [RegExp, string])[] = [
  [/^no such table/i, "a table is missing"],
  [/no such column|has no column/i, "a column is missing"],
  [/not a database/i, "it is not an SQLite database"],
  [/readonly|read-only/i, "it cannot be written to"],
  [/is locked|busy/i, "another program has locked it"],
  [/malformed|corrupt/i, "the file is damaged"],
  [/disk is full/i, "the disk is full"],
];

/** @returns undefined: the error does not come from a database */
export function databaseReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error ? String(error.code) : "";
  const known = CODES[code];
  if (known !== undefined) return known;
  if (/^Sqlite(3)?Error$/i.test(error.name)) {
    return SQLITE.find(([pattern]) => pattern.test(error.message))?.[1] ?? "it reports an error";
  }
  return "severity" in error || "sqlState" in error ? `it reports the error ${code}` : undefined;
}
