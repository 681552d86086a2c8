// Verifies a password against a hash of any format. Comparisons take the same time for every result.
import { createHash, pbkdf2, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { verify as verifyArgon2 } from "@node-rs/argon2";
import { verify as verifyBcrypt } from "@node-rs/bcrypt";
import { kindOfHash } from "./hash-kind.ts";
import { sha512Crypt } from "./hash-threads.ts";

const pbkdf2Async = promisify(pbkdf2);

/** Bytes. crypt(3) refuses longer passwords; here one could occupy a thread for minutes. */
const LONGEST_FOR_CRYPT = 512;

/**
 * Is this the password? False too for a hash of unknown format. The work is done on other threads. When the signal is
 * aborted SHA-512 crypt stops; other formats cannot be stopped.
 *
 * @throws HashAbandonedError
 */
export async function verifyPassword(hash: string, password: Uint8Array, signal?: AbortSignal): Promise<boolean> {
  switch (kindOfHash(hash)) {
    case "argon2":
      // The PHC format has no padding; some writers add it.
      return verifyArgon2(hash.replaceAll("=$", "$").replaceAll("=$", "$").replace(/=+$/, ""), password);
    case "bcrypt":
      return verifyBcrypt(password, hash);
    case "sha512-crypt":
      if (password.length > LONGEST_FOR_CRYPT) return false;
      return equal(Buffer.from(await sha512Crypt(password, hash, signal)), Buffer.from(withUsualRounds(hash)));
    case "mosquitto-sha512": {
      const [salt, digest] = fields(hash, 2);
      const computed = createHash("sha512").update(password).update(base64(salt)).digest();
      return equal(computed, base64(digest));
    }
    case "mosquitto-pbkdf2": {
      const [rounds, salt, digest] = fields(hash, 2);
      return equal(await pbkdf2Async(password, base64(salt), Number(rounds), 64, "sha512"), base64(digest));
    }
    case "passlib-pbkdf2-sha256": {
      const [rounds, salt, digest] = fields(hash, 2);
      const computed = await pbkdf2Async(password, adaptedBase64(salt), Number(rounds), 32, "sha256");
      return equal(computed, adaptedBase64(digest));
    }
    case "passlib-scrypt":
      return verifyScrypt(hash, password);
    case undefined:
      return false;
  }
}

async function verifyScrypt(hash: string, password: Uint8Array): Promise<boolean> {
  const [costs, salt, digest] = fields(hash, 2);
  const [ln, r, p] = (costs ?? "").split(",").map((part) => Number(part.slice(part.indexOf("=") + 1)));
  const N = 2 ** (ln ?? 0);
  const options = { N, r: r ?? 8, p: p ?? 1, maxmem: 256 * N * (r ?? 8) };
  return new Promise((resolve) => {
    scrypt(password, base64(salt), 32, options, (error, computed) => {
      resolve(error === null && equal(computed, base64(digest)));
    });
  });
}

/** crypt(3) writes the rounds that it has used; a hash with rounds out of range was made with the nearest in range. */
function withUsualRounds(hash: string): string {
  return hash.replace(/^\$6\$rounds=(\d+)\$/, (_all, rounds: string) => `$6$rounds=${Math.max(1000, Number(rounds))}$`);
}

/** The parts of `$id$one$two…` after the identifier. */
function fields(hash: string, from: number): string[] {
  return hash.split("$").slice(from);
}

function base64(text: string | undefined): Buffer {
  return Buffer.from(text ?? "", "base64");
}

/** Passlib's alphabet: "." for "+", no padding. */
function adaptedBase64(text: string | undefined): Buffer {
  return Buffer.from((text ?? "").replaceAll(".", "+"), "base64");
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
