/**
 * - `ERR_USER_EXISTS`, `ERR_USER_UNKNOWN`: the file has that user already, or has it not
 * - `ERR_USER_NAME`: the name cannot stand in a password file
 */
export type PasswordFileErrorCode = "ERR_USER_EXISTS" | "ERR_USER_UNKNOWN" | "ERR_USER_NAME";

export class PasswordFileError extends Error {
  override readonly name: string = "PasswordFileError";
  readonly code: PasswordFileErrorCode;

  constructor(code: PasswordFileErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
