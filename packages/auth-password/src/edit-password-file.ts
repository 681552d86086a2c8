// What a `passwd` command does to a password file. Other lines and comments stay as they are; the file is replaced in
// one step, so that no reader ever sees half of it.
import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { type HashOptions, hashPassword } from "@wrenmq/password-hash";
import { PasswordFileError } from "./password-file-error.ts";

/** The users of a file, in its order. @throws Error of `node:fs` when it cannot be read. */
export async function listUsers(file: string): Promise<string[]> {
  return (await readLines(file)).flatMap((line) => userOf(line) ?? []);
}

/** Creates the file when there is none. @throws PasswordFileError ERR_USER_EXISTS, ERR_USER_NAME */
export async function addUser(file: string, username: string, password: string, options?: HashOptions): Promise<void> {
  checkName(username);
  const lines = await readLines(file, []);
  if (lines.some((line) => userOf(line) === username)) {
    throw new PasswordFileError("ERR_USER_EXISTS", `${file} has a user "${username}" already`);
  }
  await writeLines(file, [...lines, `${username}:${await hashPassword(password, options)}`]);
}

/** @throws PasswordFileError ERR_USER_UNKNOWN */
export async function setPassword(
  file: string,
  username: string,
  password: string,
  options?: HashOptions,
): Promise<void> {
  const lines = await readLines(file);
  requireUser(file, lines, username);
  const changed = `${username}:${await hashPassword(password, options)}`;
  await writeLines(
    file,
    lines.map((line) => (userOf(line) === username ? changed : line)),
  );
}

/** @throws PasswordFileError ERR_USER_UNKNOWN */
export async function removeUser(file: string, username: string): Promise<void> {
  const lines = await readLines(file);
  requireUser(file, lines, username);
  await writeLines(
    file,
    lines.filter((line) => userOf(line) !== username),
  );
}

function userOf(line: string): string | undefined {
  const content = line.trim();
  const colon = content.indexOf(":");
  return content.startsWith("#") || colon < 1 ? undefined : content.slice(0, colon);
}

function requireUser(file: string, lines: readonly string[], username: string): void {
  if (lines.some((line) => userOf(line) === username)) return;
  throw new PasswordFileError("ERR_USER_UNKNOWN", `${file} has no user "${username}"`);
}

/** A name that would be read back as another one, or as a comment, could let somebody in under a foreign name. */
function checkName(username: string): void {
  if (username !== "" && username.trim() === username && !/^#|:|[\p{Cc}\p{Zl}\p{Zp}]/u.test(username)) return;
  throw new PasswordFileError(
    "ERR_USER_NAME",
    `user name ${JSON.stringify(username)}: it must not be empty, begin with "#" or a blank, contain ":" or control characters`,
  );
}

async function readLines(file: string, otherwise?: string[]): Promise<string[]> {
  try {
    const lines = (await readFile(file, "utf8")).split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines;
  } catch (error) {
    if (otherwise !== undefined && (error as { code?: unknown }).code === "ENOENT") return otherwise;
    throw error;
  }
}

async function writeLines(file: string, lines: readonly string[]): Promise<void> {
  const mode = await stat(file).then(
    (found) => found.mode & 0o777,
    () => 0o600,
  );
  const draft = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(draft, "wx", mode);
    try {
      await handle.writeFile(lines.map((line) => `${line}\n`).join(""));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
