// SHA-512 crypt as Ulrich Drepper specified it ("Unix crypt using SHA-256 and SHA-512", version 0.6), the `$6$` of
// crypt(3) and of hbmqtt's password files. Only for reading old files: argon2id is what new hashes get.
import { createHash } from "node:crypto";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DEFAULT_ROUNDS = 5000;
const MIN_ROUNDS = 1000;
const MAX_ROUNDS = 999_999_999;
/** The event loop gets its turn after so many rounds (about 2 ms). */
const ROUNDS_PER_TURN = 1000;

/** The order in which the digest's bytes are written, three at a time, 24 bits as four characters. */
const ORDER: readonly (readonly [number, number, number])[] = Array.from({ length: 21 }, (_none, index) => {
  const bytes = [index, index + 21, index + 42];
  const shift = index % 3;
  return [bytes[shift], bytes[(shift + 1) % 3], bytes[(shift + 2) % 3]] as [number, number, number];
});

/**
 * The `$6$…` string for a password. `settings` is `$6$[rounds=N$]salt` with whatever follows ignored, e.g. a whole hash.
 *
 * @throws RangeError when `settings` has not that form.
 */
export async function sha512Crypt(password: Uint8Array, settings: string): Promise<string> {
  const parts = /^\$6\$(?:rounds=(\d{1,9})\$)?([^$]*)/.exec(settings);
  if (parts === null) throw new RangeError("not a SHA-512 crypt hash");
  const salt = Buffer.from(parts[2] ?? "", "utf8").subarray(0, 16);
  const given = parts[1] === undefined ? undefined : Number(parts[1]);
  const rounds = Math.min(MAX_ROUNDS, Math.max(MIN_ROUNDS, given ?? DEFAULT_ROUNDS));

  const b = digest(password, salt, password);
  const hash = createHash("sha512").update(password).update(salt).update(repeatTo(b, password.length));
  for (let bits = password.length; bits > 0; bits >>>= 1) hash.update((bits & 1) === 1 ? b : password);
  const a = hash.digest();

  const p = repeatTo(digest(...Array<Uint8Array>(password.length).fill(password)), password.length);
  const s = repeatTo(digest(...Array<Uint8Array>(16 + a.readUInt8(0)).fill(salt)), salt.length);

  let c = a;
  for (let round = 0; round < rounds; round++) {
    const odd = round % 2 === 1;
    const next = createHash("sha512").update(odd ? p : c);
    if (round % 3 !== 0) next.update(s);
    if (round % 7 !== 0) next.update(p);
    c = next.update(odd ? c : p).digest();
    if (round % ROUNDS_PER_TURN === ROUNDS_PER_TURN - 1) await new Promise((resolve) => setImmediate(resolve));
  }

  let encoded = "";
  for (const [x, y, z] of ORDER) encoded += encode(c.readUInt8(x), c.readUInt8(y), c.readUInt8(z), 4);
  encoded += encode(0, 0, c.readUInt8(63), 2);
  return `$6$${given === undefined ? "" : `rounds=${rounds}$`}${salt.toString("utf8")}$${encoded}`;
}

function digest(...parts: Uint8Array[]): Buffer {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function repeatTo(block: Uint8Array, length: number): Buffer {
  const result = Buffer.alloc(length);
  for (let at = 0; at < length; at += block.length)
    result.set(block.subarray(0, Math.min(block.length, length - at)), at);
  return result;
}

function encode(high: number, middle: number, low: number, characters: number): string {
  let bits = (high << 16) | (middle << 8) | low;
  let text = "";
  for (let count = 0; count < characters; count++) {
    text += ALPHABET.charAt(bits & 63);
    bits >>>= 6;
  }
  return text;
}
