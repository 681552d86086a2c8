// Advice about a stored hash: that it takes too long to verify, or not long enough. Based on the costs in the hash,
// never on a measured time.
import { type HashKind, kindOfHash } from "./hash-kind.ts";
import { sha512CryptRounds } from "./sha512-crypt.ts";

export interface HashAdvice {
  /**
   * `slow`: a login takes a good part of a core-second. `weak`: with the file, passwords can be guessed fast. `too
   * slow`: it is not computed, and its user cannot log in.
   */
  readonly kind: "slow" | "weak" | "too slow";
  /** How it was made: "SHA-512 crypt with 656,000 rounds". */
  readonly made: string;
}

/**
 * Costs below which a hash is weak, above which it is slow, and above which it is not computed (about half a minute).
 */
type Bounds = readonly [weak: number, slow: number, most: number];
const BOUNDS: Readonly<Record<"crypt" | "pbkdf2" | "bcrypt" | "scrypt" | "argon2", Bounds>> = {
  /** The specification's default is 5,000. */
  crypt: [100_000, 300_000, 20_000_000],
  pbkdf2: [100_000, 2_000_000, 50_000_000],
  /** Powers of two. */
  bcrypt: [10, 13, 18],
  scrypt: [14, 18, 22],
  /** KiB of memory times passes. */
  argon2: [10_000, 1_000_000, 32_000_000],
};

/** @returns undefined: no advice, or an unknown hash */
export function adviceOnHash(hash: string): HashAdvice | undefined {
  const kind = kindOfHash(hash);
  if (kind === undefined) return undefined;
  if (kind === "mosquitto-sha512") return { kind: "weak", made: "one round of SHA-512" };
  const [count, made, [weak, slow, most]] = costOf(kind, hash);
  if (count > most) return { kind: "too slow", made };
  if (count > slow) return { kind: "slow", made };
  if (count < weak) return { kind: "weak", made };
  return undefined;
}

type Cost = readonly [count: number, made: string, bounds: Bounds];

function costOf(kind: Exclude<HashKind, "mosquitto-sha512">, hash: string): Cost {
  const field = (pattern: RegExp): number => Number(pattern.exec(hash)?.[1] ?? 0);
  const many = (count: number): string => count.toLocaleString("en-US");
  switch (kind) {
    case "sha512-crypt": {
      const rounds = sha512CryptRounds(hash);
      return [rounds, `SHA-512 crypt with ${many(rounds)} rounds`, BOUNDS.crypt];
    }
    case "mosquitto-pbkdf2":
    case "passlib-pbkdf2-sha256": {
      const rounds = field(/^\$[^$]+\$(\d+)\$/);
      return [rounds, `PBKDF2 with ${many(rounds)} iterations`, BOUNDS.pbkdf2];
    }
    case "bcrypt": {
      const cost = field(/^\$2.\$(\d\d)\$/);
      return [cost, `bcrypt with cost ${cost}`, BOUNDS.bcrypt];
    }
    case "passlib-scrypt": {
      const ln = field(/ln=(\d+)/);
      return [ln, `scrypt with ln=${ln}`, BOUNDS.scrypt];
    }
    case "argon2": {
      const [memory, passes] = [field(/m=(\d+)/), field(/,t=(\d+)/)];
      return [memory * passes, `argon2 with ${many(memory)} KiB and ${passes} passes`, BOUNDS.argon2];
    }
  }
}
