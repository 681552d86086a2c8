// Edits a file of SCRAM credentials, for the command `passwd`.
import { appendUser, changeUser } from "@wrenmq/watched-file";
import { scramCredentials } from "./credentials.ts";

/**
 * Creates the file if it does not exist.
 * @throws UserFileError ERR_USER_EXISTS, ERR_USER_NAME
 */
export function addScramUser(file: string, username: string, password: string): Promise<void> {
  return appendUser(file, username, () => scramCredentials(password));
}

/** @throws UserFileError ERR_USER_UNKNOWN */
export function setScramPassword(file: string, username: string, password: string): Promise<void> {
  return changeUser(file, username, () => scramCredentials(password));
}
