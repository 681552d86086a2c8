/**
 * - `ERR_DATABASE_URL`: the URL is of no kind that is known
 * - `ERR_DATABASE_DRIVER`: the driver for that kind of database is not installed
 */
export type DatabaseErrorCode = "ERR_DATABASE_URL" | "ERR_DATABASE_DRIVER";

export class DatabaseError extends Error {
  override readonly name: string = "DatabaseError";
  readonly code: DatabaseErrorCode;

  constructor(code: DatabaseErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
