// The names of password hashes in aMQTT's options.
import { type HashKind, type HashScheme, kindOfHash } from "@wrenmq/password-hash";
import { HASH_SCHEMES, type SqlHashScheme } from "./options.ts";

const KINDS: Readonly<Record<SqlHashScheme, HashKind>> = {
  argon2: "argon2",
  bcrypt: "bcrypt",
  pbkdf2_sha256: "passlib-pbkdf2-sha256",
  scrypt: "passlib-scrypt",
};

export function schemeOf(hash: string): SqlHashScheme | undefined {
  const kind = kindOfHash(hash);
  return HASH_SCHEMES.find((scheme) => KINDS[scheme] === kind);
}

/** The scheme of new hashes: the first one, or argon2 where the first can only be read. */
export function writtenScheme(schemes: readonly SqlHashScheme[]): { name: SqlHashScheme; scheme: HashScheme } {
  return schemes[0] === "bcrypt" ? { name: "bcrypt", scheme: "bcrypt" } : { name: "argon2", scheme: "argon2id" };
}
