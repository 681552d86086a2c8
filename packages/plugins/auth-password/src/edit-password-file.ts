// What a `passwd` command does to a password file. Other lines and comments stay as they are.
import { type HashOptions, hashPassword } from "@wrenmq/password-hash";
import { appendUser, changeUser } from "@wrenmq/watched-file";

/** Creates the file when there is none. @throws UserFileError ERR_USER_EXISTS, ERR_USER_NAME */
export function addUser(file: string, username: string, password: string, options?: HashOptions): Promise<void> {
  return appendUser(file, username, () => hashPassword(password, options));
}

/** @throws UserFileError ERR_USER_UNKNOWN */
export function setPassword(file: string, username: string, password: string, options?: HashOptions): Promise<void> {
  return changeUser(file, username, () => hashPassword(password, options));
}
