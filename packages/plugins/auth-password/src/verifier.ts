// Checks a password so that an unknown user costs the same work as a known one: somebody's real hash is verified for it,
// always the same one for the same name, and the outcome thrown away.
import { createHmac, randomBytes } from "node:crypto";
import { hashPassword, type Turn, VerifiedPairs, type VerifyInTurn, verifyInTurn } from "@wrenmq/password-hash";
import type { PasswordEntry, PasswordFile } from "./password-file.ts";

export interface VerifierOptions {
  /** Milliseconds that a user and its right password are remembered; 0 not at all. */
  readonly remember: number;
  readonly verify?: VerifyInTurn;
}

export class Verifier {
  readonly #file: () => PasswordFile;
  readonly #verify: VerifyInTurn;
  readonly #remembered: VerifiedPairs;
  readonly #secret = randomBytes(16);
  #emptyFileHash: Promise<string> | undefined;

  /** `file` gives the contents that are in force. */
  constructor(file: () => PasswordFile, { remember, verify = verifyInTurn }: VerifierOptions) {
    this.#file = file;
    this.#verify = verify;
    this.#remembered = new VerifiedPairs(remember);
  }

  /** The user's entry, if the password is the user's. @throws HashQueueFullError, HashAbandonedError */
  async check(username: string, password: Uint8Array, turn: Turn): Promise<PasswordEntry | undefined> {
    const entry = this.#file().entries.get(username);
    if (entry !== undefined && this.#remembered.has(username, entry.hash, password)) return entry;
    const hash = entry?.hash ?? (await this.#decoy(username));
    const right = await this.#verify(hash, password, turn);
    if (!right || entry === undefined) return undefined;
    // It may have waited, and the file may be another one now.
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
    // Which one follows from the name, so that asking twice does not show a different kind of hash by its time.
    const number = createHmac("sha256", this.#secret).update(username).digest().readUInt32BE(0);
    const hashes = [...entries.values()];
    return (hashes[number % hashes.length] as PasswordEntry).hash;
  }
}
