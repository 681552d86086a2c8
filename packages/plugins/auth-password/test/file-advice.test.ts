import { expect, test } from "vitest";
import { parsePasswordFile, passwordFileAdvice } from "../src/index.ts";

const adviceOn = (text: string): string[] => passwordFileAdvice(parsePasswordFile(text));

const SLOW = `$6$rounds=656000$salt$${"x".repeat(86)}`;
const WEAK = `$7$101$c2FsdA==$${"A".repeat(86)}==`;
const GOOD = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$ZGlnZXN0";

test("users with slow and with weak hashes are named with their lines", () => {
  expect(adviceOn(`# ours\nann:${SLOW}\nbob:${GOOD}\ncy:${WEAK}\ndan:${SLOW}\n`)).toEqual([
    'users ann (line 2), dan (line 5): SHA-512 crypt with 656,000 rounds: verifying takes a core for a good part of a second at each login; a new password ("wrenmq passwd FILE USER") gets argon2id',
    'user cy (line 4): PBKDF2 with 101 iterations: whoever gets the file tries passwords quickly; a new password ("wrenmq passwd FILE USER") gets argon2id',
  ]);
});

test("many users of one kind are one line", () => {
  const [line, ...others] = adviceOn(Array.from({ length: 1000 }, (_none, at) => `u${at}:${SLOW}\n`).join(""));
  expect(line).toMatch(/^users u0 \(line 1\), .*, u4 \(line 5\) and 995 more: SHA-512 crypt/);
  expect(others).toEqual([]);
});

test("a good file has nothing to be said", () => {
  expect(adviceOn(`bob:${GOOD}\n`)).toEqual([]);
});
