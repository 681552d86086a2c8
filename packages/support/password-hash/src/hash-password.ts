import { pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { hash as hashArgon2 } from "@node-rs/argon2";
import { hash as hashBcrypt } from "@node-rs/bcrypt";

const pbkdf2Async = promisify(pbkdf2);

/** `mosquitto` is the `$7$` that mosquitto_passwd writes and Mosquitto reads. */
export type HashScheme = "argon2id" | "bcrypt" | "mosquitto";

export interface HashOptions {
  /** Default argon2id. bcrypt throws on passwords longer than 72 bytes: it would ignore the rest. */
  readonly scheme?: HashScheme | undefined;
  /** KiB of memory (argon2id; default 19,456), cost (bcrypt; default 12) or iterations (mosquitto; default 210,000). */
  readonly cost?: number | undefined;
}

/** Hashes a password with a random salt. The default costs are those that OWASP recommends. */
export async function hashPassword(password: string | Uint8Array, options: HashOptions = {}): Promise<string> {
  const { scheme = "argon2id", cost } = options;
  switch (scheme) {
    case "argon2id":
      // algorithm 2 is Argon2id; the library's const enum cannot be used with isolatedModules
      return hashArgon2(password, { algorithm: 2, memoryCost: cost ?? 19_456, timeCost: 2, parallelism: 1 });
    case "bcrypt":
      return hashBcrypt(password, { cost: cost ?? 12, rejectLongPasswords: true });
    case "mosquitto": {
      const salt = randomBytes(12);
      const rounds = cost ?? 210_000;
      const digest = await pbkdf2Async(password, salt, rounds, 64, "sha512");
      return `$7$${rounds}$${salt.toString("base64")}$${digest.toString("base64")}`;
    }
  }
}
