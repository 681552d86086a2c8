// Detects the format of a stored hash. `$6$` means two things: crypt(3)'s SHA-512 (86 characters of its own alphabet)
// and Mosquitto's one round of salted SHA-512 (64 bytes in base64: 86 characters and "==").

export type HashKind =
  | "argon2"
  | "bcrypt"
  | "sha512-crypt"
  | "mosquitto-sha512"
  | "mosquitto-pbkdf2"
  | "passlib-pbkdf2-sha256"
  | "passlib-scrypt";

const SHAPES: readonly (readonly [HashKind, RegExp])[] = [
  ["argon2", /^\$argon2(?:id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+={0,2}\$[A-Za-z0-9+/]+={0,2}$/],
  ["bcrypt", /^\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$/],
  ["sha512-crypt", /^\$6\$(?:rounds=\d{1,9}\$)?[^$\s:]{0,16}\$[./0-9A-Za-z]{86}$/],
  ["mosquitto-sha512", /^\$6\$[A-Za-z0-9+/]+={0,2}\$[A-Za-z0-9+/]{86}==$/],
  ["mosquitto-pbkdf2", /^\$7\$[1-9]\d{0,8}\$[A-Za-z0-9+/]+={0,2}\$[A-Za-z0-9+/]{86}==$/],
  ["passlib-pbkdf2-sha256", /^\$pbkdf2-sha256\$[1-9]\d{0,8}\$[./A-Za-z0-9]*\$[./A-Za-z0-9]{43}$/],
  ["passlib-scrypt", /^\$scrypt\$ln=\d{1,2},r=\d{1,4},p=\d{1,4}\$[A-Za-z0-9+/]*\$[A-Za-z0-9+/]{43}$/],
];

/** @returns undefined: an unknown or damaged hash */
export function kindOfHash(hash: string): HashKind | undefined {
  return SHAPES.find(([, shape]) => shape.test(hash))?.[0];
}
