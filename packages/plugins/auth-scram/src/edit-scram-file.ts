// What a `passwd` command does to a file of SCRAM credentials.
import { appendUser, changeUser } from "@wrenmq/watched-file";
import { scramCredentials } from "./credentials.ts";

/** Creates the file when there is none. @throws UserFileError ERR_USER_EXISTS, ERR_USER_NAME */
export function addScramUser(file: string, username: string, password: string): Promise<void> {
  return appendUser(file, username, () => scramCredentials(password));
}

/** @throws UserFileError ERR_USER_UNKNOWN */
export function setScramPassword(file: string, username: string, password: string): Promise<void> {
  return changeUser(file, username, () => scramCredentials(password));
}
