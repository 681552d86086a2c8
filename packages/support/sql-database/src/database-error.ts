/**
 * - `ERR_DATABASE_URL`: the URL is of no kind that is known
 * - `ERR_DATABASE_DRIVER`: the driver for that kind of database is not installed
 * - `ERR_DATABASE_FILE`: the file is not there, or is no SQLite database
 */
export type DatabaseErrorCode = "ERR_DATABASE_URL" | "ERR_DATABASE_DRIVER" | "ERR_DATABASE_FILE";

export class DatabaseError extends Error {
  override readonly name: string = "DatabaseError";
  readonly code: DatabaseErrorCode;

  constructor(code: DatabaseErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
