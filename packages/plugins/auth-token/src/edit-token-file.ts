// Creates, lists and revokes tokens, for the command `token`.
import { randomBytes } from "node:crypto";
import { isTopicFilter } from "@wrenmq/topics";
import { readLines, replaceLines } from "@wrenmq/watched-file";
import { digestOf, parseTokenFile, type StoredToken } from "./token-file.ts";

/**
 * - `ERR_TOKEN_UNKNOWN`: there is no token with that identifier
 * - `ERR_TOKEN_OPTIONS`: the user name is empty, a filter is invalid, or the expiry is not a date
 */
export type TokenFileErrorCode = "ERR_TOKEN_UNKNOWN" | "ERR_TOKEN_OPTIONS";

export class TokenFileError extends Error {
  override readonly name: string = "TokenFileError";
  readonly code: TokenFileErrorCode;

  constructor(code: TokenFileErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface NewToken extends Pick<StoredToken, "user" | "note" | "role" | "publish" | "subscribe" | "receive"> {
  readonly expires?: Date;
}

/** Creates the file if it does not exist. The returned token is not stored: it cannot be read from the file. */
export async function createToken(file: string, given: NewToken): Promise<{ token: string; id: string }> {
  const filters = [...(given.publish ?? []), ...(given.subscribe ?? []), ...(given.receive ?? [])];
  const wrong = filters.find((filter) => !isTopicFilter(filter));
  if (given.user === "") throw new TokenFileError("ERR_TOKEN_OPTIONS", "the user name is empty");
  if (wrong !== undefined) throw new TokenFileError("ERR_TOKEN_OPTIONS", `"${wrong}" is no topic filter`);
  if (given.expires !== undefined && Number.isNaN(given.expires.getTime())) {
    throw new TokenFileError("ERR_TOKEN_OPTIONS", "the end is no date");
  }
  const id = randomBytes(9).toString("base64url");
  const token = `wmq_${id}_${randomBytes(32).toString("base64url")}`;
  const { user, expires, note, role, publish, subscribe, receive } = given;
  const stored = {
    id,
    user,
    sha256: digestOf(token).toString("hex"),
    created: new Date().toISOString(),
    expires: expires?.toISOString(),
    note,
    role,
    publish,
    subscribe,
    receive,
  };
  await replaceLines(file, [...(await readLines(file, [])), JSON.stringify(stored)]);
  return { token, id };
}

export async function listTokens(file: string): Promise<StoredToken[]> {
  return [...parseTokenFile((await readLines(file)).join("\n")).values()];
}

/**
 * Clients with the token are disconnected when the broker reads the file again.
 * @throws TokenFileError ERR_TOKEN_UNKNOWN
 */
export async function revokeToken(file: string, id: string): Promise<void> {
  const lines = await readLines(file);
  const kept = lines.filter((line) => line.trim() === "" || !parseTokenFile(line).has(id));
  if (kept.length === lines.length) throw new TokenFileError("ERR_TOKEN_UNKNOWN", `${file} has no token "${id}"`);
  await replaceLines(file, kept);
}
