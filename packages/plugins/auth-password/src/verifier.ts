// Checks a password so that an unknown user costs the same work as a known one: somebody's real hash is verified for it,
// always the same one for the same name, and the outcome thrown away.
import { createHmac, randomBytes } from "node:crypto";
import { hashPassword, verifyPassword } from "@wrenmq/password-hash";
import type { PasswordEntry, PasswordFile } from "./password-file.ts";

export type Verify = (hash: string, password: Uint8Array) => Promise<boolean>;

export class Verifier {
  readonly #verify: Verify;
  readonly #secret = randomBytes(16);
  #emptyFileHash: Promise<string> | undefined;

  constructor(verify: Verify = verifyPassword) {
    this.#verify = verify;
  }

  /** The user's entry, if the password is the user's. */
  async check(file: PasswordFile, username: string, password: Uint8Array): Promise<PasswordEntry | undefined> {
    const entry = file.entries.get(username);
    const hash = entry?.hash ?? (await this.#decoy(file, username));
    const right = await this.#verify(hash, password);
    return right ? entry : undefined;
  }

  async #decoy(file: PasswordFile, username: string): Promise<string> {
    if (file.entries.size === 0) {
      this.#emptyFileHash ??= hashPassword(randomBytes(16));
      return this.#emptyFileHash;
    }
    // Which one follows from the name, so that asking twice does not show a different kind of hash by its time.
    const number = createHmac("sha256", this.#secret).update(username).digest().readUInt32BE(0);
    const hashes = [...file.entries.values()];
    return (hashes[number % hashes.length] as PasswordEntry).hash;
  }
}
