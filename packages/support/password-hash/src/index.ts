export { type HashKind, kindOfHash } from "./hash-kind.ts";
export { type HashOptions, type HashScheme, hashPassword } from "./hash-password.ts";
export { sha512Crypt } from "./sha512-crypt.ts";
export { verifyPassword } from "./verify-password.ts";
