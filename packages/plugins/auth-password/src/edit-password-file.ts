// Edits a password file, for the command `passwd`. Other lines and comments stay as they are.
import { type HashOptions, hashPassword } from "@wrenmq/password-hash";
import { appendUser, changeUser } from "@wrenmq/watched-file";

/**
 * Creates the file if it does not exist.
 * @throws UserFileError ERR_USER_EXISTS, ERR_USER_NAME
 */
export function addUser(file: string, username: string, password: string, options?: HashOptions): Promise<void> {
  return appendUser(file, username, () => hashPassword(password, options));
}

/** @throws UserFileError ERR_USER_UNKNOWN */
export function setPassword(file: string, username: string, password: string, options?: HashOptions): Promise<void> {
  return changeUser(file, username, () => hashPassword(password, options));
}
