// Checks a password with the same work for unknown users as for known ones: for an unknown user the hash of some known
// user, always the same for the same name, is verified and the result ignored.
import { createHmac, randomBytes } from "node:crypto";
import { hashPassword, type Turn, VerifiedPairs, type VerifyInTurn, verifyInTurn } from "@wrenmq/password-hash";
import type { PasswordEntry, PasswordFile } from "./password-file.ts";

export interface VerifierOptions {
  /** Milliseconds that a user and its right password are remembered; 0: not at all. */
  readonly remember: number;
  readonly verify?: VerifyInTurn;
}

export class Verifier {
  readonly #file: () => PasswordFile;
  readonly #verify: VerifyInTurn;
  readonly #remembered: VerifiedPairs;
  readonly #secret = randomBytes(16);
  #emptyFileHash: Promise<string> | undefined;

  /** @param file returns the current contents of the file */
  constructor(file: () => PasswordFile, { remember, verify = verifyInTurn }: VerifierOptions) {
    this.#file = file;
    this.#verify = verify;
    this.#remembered = new VerifiedPairs(remember);
  }

  /**
   * @returns the user's entry if the password is right
   * @throws HashQueueFullError, HashAbandonedError
   */
  async check(username: string, password: Uint8Array, turn: Turn): Promise<PasswordEntry | undefined> {
    const entry = this.#file().entries.get(username);
    if (entry !== undefined && this.#remembered.has(username, entry.hash, password)) return entry;
    const hash = entry?.hash ?? (await this.#decoy(username));
    const right = await this.#verify(hash, password, turn);
    if (!right || entry === undefined) return undefined;
    // The file may have changed while this waited.
    const current = this.#file().entries.get(username);
    if (current?.hash !== hash) return undefined;
    this.#remembered.add(username, hash, password);
    return current;
  }

  async #decoy(username: string): Promise<string> {
    const { entries } = this.#file();
    if (entries.size === 0) {
      this.#emptyFileHash ??= hashPassword(randomBytes(16));
      return this.#emptyFileHash;
    }
    // The name selects the hash, so that two attempts do not differ in time by the kind of hash.
    const number = createHmac("sha256", this.#secret).update(username).digest().readUInt32BE(0);
    const hashes = [...entries.values()];
    return (hashes[number % hashes.length] as PasswordEntry).hash;
  }
}
