import { expect, test } from "vitest";
import { adviceOnHash, hashPassword } from "../src/index.ts";

const crypt = (rounds: string) => `$6$${rounds}salt$${"x".repeat(86)}`;
const digest = "A".repeat(86);

test.each([
  [crypt("rounds=656000$"), "slow", "SHA-512 crypt with 656,000 rounds"],
  [crypt("rounds=200000$"), undefined, undefined],
  [crypt(""), "weak", "SHA-512 crypt with 5,000 rounds"],
  [`$6$c2FsdA==$${digest}==`, "weak", "one round of SHA-512"],
  [`$7$101$c2FsdA==$${digest}==`, "weak", "PBKDF2 with 101 iterations"],
  [`$7$210000$c2FsdA==$${digest}==`, undefined, undefined],
  [`$7$9000000$c2FsdA==$${digest}==`, "slow", "PBKDF2 with 9,000,000 iterations"],
  [`$pbkdf2-sha256$29000$AAECAwQF$${"x".repeat(43)}`, "weak", "PBKDF2 with 29,000 iterations"],
  [`$2b$04$${"x".repeat(53)}`, "weak", "bcrypt with cost 4"],
  [`$2b$12$${"x".repeat(53)}`, undefined, undefined],
  [`$2b$15$${"x".repeat(53)}`, "slow", "bcrypt with cost 15"],
  [`$scrypt$ln=10,r=8,p=1$AAAA$${"A".repeat(43)}`, "weak", "scrypt with ln=10"],
  ["$argon2id$v=19$m=4194304,t=4,p=1$c2FsdHNhbHQ$ZGlnZXN0", "slow", "argon2 with 4,194,304 KiB and 4 passes"],
  ["$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHQ$ZGlnZXN0", "weak", "argon2 with 1,024 KiB and 1 passes"],
  [crypt("rounds=999999999$"), "too slow", "SHA-512 crypt with 999,999,999 rounds"],
  [`$2b$31$${"x".repeat(53)}`, "too slow", "bcrypt with cost 31"],
  [`$scrypt$ln=63,r=8,p=1$AAAA$${"A".repeat(43)}`, "too slow", "scrypt with ln=63"],
  ["no hash", undefined, undefined],
])("%s", (hash, kind, made) => {
  expect(adviceOnHash(hash)).toEqual(kind === undefined ? undefined : { kind, made });
});

test.each(["argon2id", "bcrypt", "mosquitto"] as const)("what we write is neither: %s", async (scheme) => {
  expect(adviceOnHash(await hashPassword("x", { scheme }))).toBeUndefined();
});
