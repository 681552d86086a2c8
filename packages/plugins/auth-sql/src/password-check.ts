// Checks a password against the database, with the same work for unknown users.
import { randomBytes } from "node:crypto";
import {
  HashQueueFullError,
  hashInTurn,
  hashPassword,
  type Turn,
  VerifiedPairs,
  type VerifyInTurn,
  verifyInTurn,
} from "@wrenmq/password-hash";
import { schemeOf, writtenScheme } from "./hash-schemes.ts";
import type { SqlHashScheme } from "./options.ts";
import type { Db } from "./tables.ts";

export interface PasswordCheckOptions {
  readonly schemes: readonly SqlHashScheme[];
  /** Milliseconds that a user and its right password are remembered; 0: not at all. */
  readonly remember: number;
  readonly verify?: VerifyInTurn;
}

export class PasswordCheck {
  readonly #db: Db;
  readonly #schemes: readonly SqlHashScheme[];
  readonly #verify: VerifyInTurn;
  readonly #remembered: VerifiedPairs;
  readonly #decoy: Promise<string>;

  constructor(db: Db, { schemes, remember, verify = verifyInTurn }: PasswordCheckOptions) {
    this.#db = db;
    this.#schemes = schemes;
    this.#verify = verify;
    this.#remembered = new VerifiedPairs(remember);
    this.#decoy = hashPassword(randomBytes(16), { scheme: writtenScheme(schemes).scheme });
  }

  /** @throws HashQueueFullError, HashAbandonedError */
  async check(username: string, password: Uint8Array, turn: Turn): Promise<boolean> {
    const hash = await this.#hashOf(username);
    const scheme = hash === undefined ? undefined : schemeOf(hash);
    const usable = scheme !== undefined && this.#schemes.includes(scheme) ? hash : undefined;
    if (usable !== undefined && this.#remembered.has(username, usable, password)) return true;
    const right = await this.#verify(usable ?? (await this.#decoy), password, turn);
    if (!right || usable === undefined) return false;
    const present = await this.#upgrade(username, usable, scheme, password, turn);
    this.#remembered.add(username, present, password);
    return true;
  }

  async #hashOf(username: string): Promise<string | undefined> {
    const rows = await this.#db
      .selectFrom("user_auth")
      .select(["username", "password_hash"])
      .where("username", "=", username)
      .execute();
    // A database may find "BOB" for "bob"; user names are case-sensitive here.
    return rows.find((row) => row.username === username)?.password_hash;
  }

  /**
   * Replaces a hash of an older scheme with one of the first.
   * @returns the hash that counts now
   */
  async #upgrade(
    username: string,
    hash: string,
    scheme: SqlHashScheme | undefined,
    password: Uint8Array,
    turn: Turn,
  ): Promise<string> {
    const wanted = writtenScheme(this.#schemes);
    if (scheme === wanted.name || scheme === this.#schemes[0]) return hash;
    const password_hash = await hashInTurn(password, { scheme: wanted.scheme }, turn).catch((error: unknown) => {
      if (error instanceof HashQueueFullError) return undefined; // tried again at the next login
      throw error;
    });
    if (password_hash === undefined) return hash;
    await this.#db
      .updateTable("user_auth")
      .set({ password_hash })
      .where("username", "=", username)
      .where("password_hash", "=", hash) // somebody may have set another password meanwhile
      .execute();
    return password_hash;
  }
}
