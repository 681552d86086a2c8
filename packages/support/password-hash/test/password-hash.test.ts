import { describe, expect, test } from "vitest";
import { type HashScheme, hashPassword, kindOfHash, sha512Crypt, verifyPassword } from "../src/index.ts";
import { VECTORS } from "./vectors.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("hashes that others made", () => {
  test.each(VECTORS)("$kind $hash", async ({ kind, password, hash }) => {
    expect(kindOfHash(hash)).toBe(kind);
    expect(await verifyPassword(hash, bytes(password))).toBe(true);
    expect(await verifyPassword(hash, bytes(`${password}x`))).toBe(false);
    if (kind === "sha512-crypt") expect(await sha512Crypt(bytes(password), hash)).toBe(hash);
  });

  test("too few rounds are taken for the least that the specification allows", async () => {
    const made = await sha512Crypt(bytes("the minimum number is still observed"), "$6$rounds=10$roundstoolow");
    expect(made).toBe(
      "$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBaHHrsX.",
    );
  });
});

test.each([
  "",
  "plain",
  "$6$",
  "$6$salt",
  "$6$salt$short",
  "$1$salt$x",
  "$7$0$aa$bb",
  "$argon2id$v=19$m=1$x",
  "$2b$04$x",
])("no hash: %s", async (hash) => {
  expect(kindOfHash(hash)).toBeUndefined();
  expect(await verifyPassword(hash, bytes("x"))).toBe(false);
});

describe("new hashes", () => {
  const cheap: readonly [HashScheme, number][] = [
    ["argon2id", 1024],
    ["bcrypt", 4],
    ["mosquitto", 101],
  ];
  test.each(cheap)("%s", async (scheme, cost) => {
    const hash = await hashPassword("pässword", { scheme, cost });
    expect(await verifyPassword(hash, bytes("pässword"))).toBe(true);
    expect(await verifyPassword(hash, bytes("password"))).toBe(false);
    expect(await hashPassword("pässword", { scheme, cost })).not.toBe(hash);
  });

  test("bcrypt refuses to hash what it would cut off", async () => {
    await expect(hashPassword("x".repeat(73), { scheme: "bcrypt", cost: 4 })).rejects.toThrow();
  });

  test("argon2id is the default", async () => {
    expect(await hashPassword("x", { cost: 1024 })).toMatch(/^\$argon2id\$v=19\$m=1024,t=2,p=1\$/);
  });
});
