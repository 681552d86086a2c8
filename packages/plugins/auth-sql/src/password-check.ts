// A password against the database, with the same work for a user that it does not have.
import { randomBytes } from "node:crypto";
import { hashPassword, verifyPassword } from "@wrenmq/password-hash";
import { type SqlHashScheme, schemeOf, writtenScheme } from "./hash-schemes.ts";
import type { Db } from "./tables.ts";

export type Verify = (hash: string, password: Uint8Array) => Promise<boolean>;

export class PasswordCheck {
  readonly #db: Db;
  readonly #schemes: readonly SqlHashScheme[];
  readonly #verify: Verify;
  readonly #decoy: Promise<string>;

  constructor(db: Db, schemes: readonly SqlHashScheme[], verify: Verify = verifyPassword) {
    this.#db = db;
    this.#schemes = schemes;
    this.#verify = verify;
    this.#decoy = hashPassword(randomBytes(16), { scheme: writtenScheme(schemes).scheme });
  }

  async check(username: string, password: Uint8Array): Promise<boolean> {
    const rows = await this.#db
      .selectFrom("user_auth")
      .select(["username", "password_hash"])
      .where("username", "=", username)
      .execute();
    // A database may find "BOB" for "bob"; we do not.
    const hash = rows.find((row) => row.username === username)?.password_hash;
    const scheme = hash === undefined ? undefined : schemeOf(hash);
    const usable = scheme !== undefined && this.#schemes.includes(scheme) ? hash : undefined;
    const right = await this.#verify(usable ?? (await this.#decoy), password);
    if (!right || usable === undefined) return false;
    await this.#upgrade(username, scheme, password);
    return true;
  }

  /** Who logs in with a hash of an older scheme gets one of the first. */
  async #upgrade(username: string, scheme: SqlHashScheme | undefined, password: Uint8Array): Promise<void> {
    const wanted = writtenScheme(this.#schemes);
    if (scheme === wanted.name || scheme === this.#schemes[0]) return;
    const password_hash = await hashPassword(password, { scheme: wanted.scheme });
    await this.#db.updateTable("user_auth").set({ password_hash }).where("username", "=", username).execute();
  }
}
