// Stored tokens: one JSON object per line. Of the token itself only a SHA-256 digest is stored; that is enough, because
// its secret part is 256 random bits that cannot be guessed.
import { createHash } from "node:crypto";
import { isTopicFilter } from "@wrenmq/topics";

export const TOKEN_ROLES = ["read", "operate", "admin"] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];

export interface StoredToken {
  /** Not secret; part of the token. */
  readonly id: string;
  readonly user: string;
  /** SHA-256 of the whole token, in hexadecimal. */
  readonly sha256: string;
  /** ISO 8601. */
  readonly created: string;
  /** ISO 8601; absent: it never expires. */
  readonly expires?: string;
  readonly note?: string;
  /** Rights in the admin API. A token with a role cannot be used for MQTT. */
  readonly role?: TokenRole;
  /** Topic filters; an action without a list is denied if the plugin authorizes. */
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
  readonly receive?: readonly string[];
}

const TOKEN = /^wmq_([A-Za-z0-9_-]{12})_[A-Za-z0-9_-]{43}$/;

/** The identifier in a token; undefined: this is not a token of this plugin. */
export function idOfToken(token: string): string | undefined {
  return TOKEN.exec(token)?.[1];
}

export function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** @throws Error at the first invalid line */
export function parseTokenFile(text: string): ReadonlyMap<string, StoredToken> {
  const tokens = new Map<string, StoredToken>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const mistake = (what: string) => new Error(`line ${index + 1}: ${what}`);
    const token = parseLine(line);
    if (token === undefined) throw mistake("expected a JSON object with id, user, sha256 and created");
    if (token.expires !== undefined && Number.isNaN(Date.parse(token.expires))) throw mistake("expires is no date");
    for (const filter of [...(token.publish ?? []), ...(token.subscribe ?? []), ...(token.receive ?? [])]) {
      if (!isTopicFilter(filter)) throw mistake(`"${filter}" is no topic filter`);
    }
    tokens.set(token.id, token);
  }
  return tokens;
}

function parseLine(line: string): StoredToken | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const token = value as Partial<Record<keyof StoredToken, unknown>>;
  const texts = [token.id, token.user, token.sha256, token.created];
  const lists = [token.publish, token.subscribe, token.receive];
  const valid =
    texts.every((one) => typeof one === "string" && one !== "") &&
    /^[0-9a-f]{64}$/.test(token.sha256 as string) &&
    (token.role === undefined || TOKEN_ROLES.includes(token.role as TokenRole)) &&
    (token.expires === undefined || typeof token.expires === "string") &&
    lists.every(
      (one) => one === undefined || (Array.isArray(one) && one.every((filter) => typeof filter === "string")),
    );
  return valid ? (value as StoredToken) : undefined;
}
