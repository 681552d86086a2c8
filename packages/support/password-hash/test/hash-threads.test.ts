import type * as Crypto from "node:crypto";
import { expect, test, vi } from "vitest";
import { HashAbandonedError, sha512Crypt, verifyInTurn, verifyPassword } from "../src/index.ts";
import { VECTORS } from "./vectors.ts";

/** How many digests this thread computes. */
let digests = 0;
vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof Crypto>();
  const createHash: typeof crypto.createHash = (...given) => {
    digests++;
    return crypto.createHash(...given);
  };
  return { ...crypto, createHash };
});

const bytes = (text: string) => new TextEncoder().encode(text);
const vector = VECTORS.find(({ kind }) => kind === "sha512-crypt") as (typeof VECTORS)[number];
/** More than anybody waits for. */
const ENDLESS = "$6$rounds=999999999$salt";

test("SHA-512 crypt is computed by other threads, not a round of it by this one", async () => {
  digests = 0;
  expect(await verifyPassword(vector.hash, bytes(vector.password))).toBe(true);
  expect(digests).toBe(0);
});

test("messages go on meanwhile: the event loop turns freely while a hash is computed", async () => {
  const controller = new AbortController();
  const hash = sha512Crypt(bytes("x"), ENDLESS, controller.signal);
  for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  await expect(hash).rejects.toThrow(HashAbandonedError);
});

test("a thread stops when nobody waits for it any more, and then serves the next", async () => {
  const attempts = Array.from({ length: 3 }, () => new AbortController());
  const hashes = Promise.allSettled(attempts.map(({ signal }) => sha512Crypt(bytes("x"), ENDLESS, signal)));
  for (const attempt of attempts) attempt.abort();
  for (const outcome of await hashes) expect(outcome).toMatchObject({ reason: { name: "HashAbandonedError" } });
  expect(await sha512Crypt(bytes(vector.password), vector.hash)).toBe(vector.hash);
});

test("several are computed at once, each its own", async () => {
  const vectors = VECTORS.filter(({ kind }) => kind === "sha512-crypt");
  const made = await Promise.all(vectors.map(({ password, hash }) => sha512Crypt(bytes(password), hash)));
  expect(made).toEqual(vectors.map(({ hash }) => hash));
});

test("a password longer than crypt(3) takes is wrong at once: its length would multiply the work", async () => {
  expect(await verifyPassword(ENDLESS + vector.hash.slice(vector.hash.lastIndexOf("$")), bytes("x".repeat(513)))).toBe(
    false,
  );
});

test.each(VECTORS)("in turn the outcome is the same: $kind", async ({ hash, password }) => {
  const turn = () => ({ share: "", attempt: { signal: new AbortController().signal, wait: () => () => {} } });
  expect(await verifyInTurn(hash, bytes(password), turn())).toBe(true);
  expect(await verifyInTurn(hash, bytes(`${password}x`), turn())).toBe(false);
});

test("a hash that asks for more work than anything reasonable is not computed", async () => {
  const turn = { share: "", attempt: { signal: new AbortController().signal, wait: () => () => {} } };
  const hash = ENDLESS + vector.hash.slice(vector.hash.lastIndexOf("$"));
  await expect(verifyInTurn(hash, bytes("x"), turn)).rejects.toThrow(
    "asks for too much work: SHA-512 crypt with 999,999,999",
  );
});
