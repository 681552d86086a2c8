// User name and password of `wrenmq pub` and `wrenmq sub`. A password should not be an argument, which other users of
// the machine can read: it can be typed, or come from a file or from the environment.
import { readText } from "../at-file.ts";
import { CommandError, UsageError } from "../errors.ts";
import { readSecret } from "../password-input.ts";
import type { BrokerUrl } from "./broker-url.ts";
import type { ClientOptions } from "./client-options.ts";
import { PASSWORD_VARIABLE } from "./password-variable.ts";

export interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/**
 * @param isInputTaken true when standard input is the message, so that no password can be read from it
 * @throws UsageError
 */
export async function credentials(given: ClientOptions, inUrl: BrokerUrl, isInputTaken: boolean): Promise<Credentials> {
  const username = given.user ?? inUrl.username;
  const password =
    (await ownPassword(given, username, isInputTaken)) ??
    // The password in the URL belongs to the user in the URL.
    (given.user === undefined ? inUrl.password : undefined) ??
    (username === undefined ? undefined : process.env[PASSWORD_VARIABLE] || undefined);
  if (password !== undefined && username === undefined && given.protocol !== "5") {
    throw new UsageError("a password needs a user name (-u); only MQTT 5 knows it without (-V 5)");
  }
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

async function ownPassword(
  { password, passwordFile }: ClientOptions,
  username: string | undefined,
  isInputTaken: boolean,
): Promise<string | undefined> {
  if (password !== undefined && passwordFile !== undefined) throw new UsageError("give --password or --password-file");
  if (passwordFile !== undefined) return firstLineOf(passwordFile);
  if (password !== true) return password;
  if (isInputTaken && !process.stdin.isTTY) {
    throw new UsageError(`the message comes from stdin: give the password in ${PASSWORD_VARIABLE} or --password-file`);
  }
  return readSecret(username ?? "the broker");
}

function firstLineOf(file: string): string {
  const [line = ""] = readText(file).split(/\r?\n/);
  if (line === "") throw new CommandError(`--password-file ${file}: its first line is empty`);
  return line;
}
