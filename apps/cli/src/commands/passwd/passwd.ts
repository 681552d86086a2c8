// `wrenmq passwd`.
import { existsSync } from "node:fs";
import { addUser, listUsers, removeUser, setPassword } from "@wrenmq/auth-password";
import { addScramUser, setScramPassword } from "@wrenmq/auth-scram";
import { atFile } from "../../at-file.ts";
import { UsageError } from "../../errors.ts";
import { readPassword } from "../../password-input.ts";

export interface PasswdOptions {
  readonly delete?: boolean;
  readonly list?: boolean;
  readonly scheme: "argon2id" | "bcrypt" | "mosquitto" | "scram-sha-256";
}

/** @throws UsageError, CommandError, UserFileError */
export function passwd(file: string, user: string | undefined, options: PasswdOptions): Promise<void> {
  return atFile(file, () => change(file, user, options));
}

async function change(file: string, user: string | undefined, options: PasswdOptions): Promise<void> {
  if (options.list === true) {
    for (const name of await listUsers(file)) process.stdout.write(`${name}\n`);
    return;
  }
  if (user === undefined) throw new UsageError("passwd needs the name of a user (or --list)");
  if (options.delete === true) return removeUser(file, user);
  const isThere = existsSync(file) && (await listUsers(file)).includes(user);
  const password = await readPassword(user);
  const { scheme } = options;
  if (scheme === "scram-sha-256") {
    return isThere ? setScramPassword(file, user, password) : addScramUser(file, user, password);
  }
  return isThere ? setPassword(file, user, password, { scheme }) : addUser(file, user, password, { scheme });
}
