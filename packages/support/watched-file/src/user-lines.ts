// Reads and edits files of lines `user:something`, with empty lines and `#` comments.
import { readLines, replaceLines } from "./file-lines.ts";

/**
 * - `ERR_USER_EXISTS`, `ERR_USER_UNKNOWN`: the file has that user already, or does not have it
 * - `ERR_USER_NAME`: the name cannot be written in such a file
 */
export type UserFileErrorCode = "ERR_USER_EXISTS" | "ERR_USER_UNKNOWN" | "ERR_USER_NAME";

export class UserFileError extends Error {
  override readonly name: string = "UserFileError";
  readonly code: UserFileErrorCode;

  constructor(code: UserFileErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The user of a line; undefined for comments, empty lines and lines without a user. */
export function userOfLine(line: string): string | undefined {
  const content = line.trim();
  const colon = content.indexOf(":");
  return content.startsWith("#") || colon < 1 ? undefined : content.slice(0, colon);
}

/**
 * The users in the order of the file.
 * @throws Error of `node:fs` when it cannot be read
 */
export async function listUsers(file: string): Promise<string[]> {
  return (await readLines(file)).flatMap((line) => userOfLine(line) ?? []);
}

/**
 * Creates the file if it does not exist.
 * @throws UserFileError ERR_USER_EXISTS, ERR_USER_NAME
 */
export async function appendUser(file: string, username: string, secret: () => Promise<string>): Promise<void> {
  checkName(username);
  const lines = await readLines(file, []);
  if (lines.some((line) => userOfLine(line) === username)) {
    throw new UserFileError("ERR_USER_EXISTS", `${file} has a user "${username}" already`);
  }
  await replaceLines(file, [...lines, `${username}:${await secret()}`]);
}

/** @throws UserFileError ERR_USER_UNKNOWN */
export async function changeUser(file: string, username: string, secret: () => Promise<string>): Promise<void> {
  const lines = await linesWith(file, username);
  const changed = `${username}:${await secret()}`;
  await replaceLines(
    file,
    lines.map((line) => (userOfLine(line) === username ? changed : line)),
  );
}

/** @throws UserFileError ERR_USER_UNKNOWN */
export async function removeUser(file: string, username: string): Promise<void> {
  const lines = await linesWith(file, username);
  await replaceLines(
    file,
    lines.filter((line) => userOfLine(line) !== username),
  );
}

async function linesWith(file: string, username: string): Promise<string[]> {
  const lines = await readLines(file);
  if (lines.some((line) => userOfLine(line) === username)) return lines;
  throw new UserFileError("ERR_USER_UNKNOWN", `${file} has no user "${username}"`);
}

/** Refuses names that would be read as another name or as a comment, and so let a client use a foreign name. */
function checkName(username: string): void {
  if (username !== "" && username.trim() === username && !/^#|:|[\p{Cc}\p{Zl}\p{Zp}]/u.test(username)) return;
  throw new UserFileError(
    "ERR_USER_NAME",
    `user name ${JSON.stringify(username)}: it must not be empty, begin with "#" or a blank, contain ":" or control characters`,
  );
}
