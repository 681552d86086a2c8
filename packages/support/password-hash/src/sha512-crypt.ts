// SHA-512 crypt as Ulrich Drepper specified it ("Unix crypt using SHA-256 and SHA-512", version 0.6), the `$6$` of
// crypt(3) and of hbmqtt's password files. Only to read old files: new hashes are argon2id.
//
// The function uses nothing but its arguments, because its text is the program of a thread (hash-threads.ts).
import type { createHash as CreateHash } from "node:crypto";

/**
 * The rounds of a stored hash; `settings` as for `sha512Crypt`.
 * @throws RangeError
 */
export function sha512CryptRounds(settings: string): number {
  const parts = /^\$6\$(?:rounds=(\d{1,9})\$)?/.exec(settings);
  if (parts === null) throw new RangeError("not a SHA-512 crypt hash");
  return Math.min(999_999_999, Math.max(1000, parts[1] === undefined ? 5000 : Number(parts[1])));
}

/**
 * Computes the `$6$…` string of a password.
 * @param settings `$6$[rounds=N$]salt`; what follows is ignored, so a whole hash may be given
 * @param isCancelled called every thousand rounds (about 2 ms); after true the result is undefined
 */
export function sha512CryptWith(
  createHash: typeof CreateHash,
  password: Uint8Array,
  settings: string,
  isCancelled: () => boolean,
): string | undefined {
  const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const parts = /^\$6\$(?:rounds=(\d{1,9})\$)?([^$]*)/.exec(settings);
  if (parts === null) return undefined;
  const salt = Buffer.from(parts[2] ?? "", "utf8").subarray(0, 16);
  const given = parts[1] === undefined ? undefined : Number(parts[1]);
  const rounds = Math.min(999_999_999, Math.max(1000, given ?? 5000));

  const digest = (...chunks: Uint8Array[]): Buffer => {
    const hash = createHash("sha512");
    for (const chunk of chunks) hash.update(chunk);
    return hash.digest();
  };
  const repeatTo = (block: Uint8Array, length: number): Buffer => {
    const result = Buffer.alloc(length);
    for (let at = 0; at < length; at += block.length)
      result.set(block.subarray(0, Math.min(block.length, length - at)), at);
    return result;
  };
  const encode = (high: number, middle: number, low: number, characters: number): string => {
    let bits = (high << 16) | (middle << 8) | low;
    let text = "";
    for (let count = 0; count < characters; count++) {
      text += alphabet.charAt(bits & 63);
      bits >>>= 6;
    }
    return text;
  };

  const b = digest(password, salt, password);
  const hash = createHash("sha512").update(password).update(salt).update(repeatTo(b, password.length));
  for (let bits = password.length; bits > 0; bits >>>= 1) hash.update((bits & 1) === 1 ? b : password);
  const a = hash.digest();

  const p = repeatTo(digest(...Array<Uint8Array>(password.length).fill(password)), password.length);
  const s = repeatTo(digest(...Array<Uint8Array>(16 + a.readUInt8(0)).fill(salt)), salt.length);

  let c = a;
  for (let round = 0; round < rounds; round++) {
    if (round % 1000 === 0 && isCancelled()) return undefined;
    const odd = round % 2 === 1;
    const next = createHash("sha512").update(odd ? p : c);
    if (round % 3 !== 0) next.update(s);
    if (round % 7 !== 0) next.update(p);
    c = next.update(odd ? c : p).digest();
  }

  // The digest's bytes are written in threes, 24 bits as four characters.
  let encoded = "";
  for (let index = 0; index < 21; index++) {
    const bytes = [index, index + 21, index + 42].map((at) => c.readUInt8(at));
    const byte = (place: number): number => bytes[(index + place) % 3] as number;
    encoded += encode(byte(0), byte(1), byte(2), 4);
  }
  encoded += encode(0, 0, c.readUInt8(63), 2);
  return `$6$${given === undefined ? "" : `rounds=${rounds}$`}${salt.toString("utf8")}$${encoded}`;
}
