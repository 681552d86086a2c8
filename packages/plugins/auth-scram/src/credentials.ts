// SCRAM credentials that a server stores, which are not enough to log in (RFC 5802, section 3). In a file each user is
// a line `user:SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, with the secret as PostgreSQL writes it.
import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { userOfLine } from "@wrenmq/watched-file";

const pbkdf2Async = promisify(pbkdf2);

export interface ScramCredentials {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Iterations of new credentials, and of those for unknown users with an empty file. */
export const DEFAULT_ITERATIONS = 100_000;

export function hmac(key: Uint8Array, data: Uint8Array | string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

export function hash(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

/** The secret part of a line for a new password. Default: a random salt and `DEFAULT_ITERATIONS`. */
export async function scramCredentials(
  password: string,
  options: { readonly iterations?: number; readonly salt?: Uint8Array } = {},
): Promise<string> {
  const { iterations = DEFAULT_ITERATIONS, salt = randomBytes(16) } = options;
  // SASLprep's normalisation; what it prohibits does not occur in passwords that people can type
  const salted = await pbkdf2Async(password.normalize("NFKC"), salt, iterations, 32, "sha256");
  const storedKey = hash(hmac(salted, "Client Key"));
  const serverKey = hmac(salted, "Server Key");
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
}

/** @throws Error at the first invalid line */
export function parseScramFile(text: string): ReadonlyMap<string, ScramCredentials> {
  const users = new Map<string, ScramCredentials>();
  for (const [index, line] of text.split("\n").entries()) {
    const content = line.trim();
    if (content === "" || content.startsWith("#")) continue;
    const user = userOfLine(line);
    const credentials = user === undefined ? undefined : parseSecret(content.slice(user.length + 1));
    if (user === undefined || credentials === undefined) {
      throw new Error(`line ${index + 1}: expected "user:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey"`);
    }
    if (!users.has(user)) users.set(user, credentials);
  }
  return users;
}

function parseSecret(secret: string): ScramCredentials | undefined {
  const parts = /^SCRAM-SHA-256\$([1-9]\d{0,8}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/.exec(
    secret.trim(),
  );
  if (parts === null) return undefined;
  const [, iterations, salt, storedKey, serverKey] = parts as unknown as [string, string, string, string, string];
  return {
    iterations: Number(iterations),
    salt: Buffer.from(salt, "base64"),
    storedKey: Buffer.from(storedKey, "base64"),
    serverKey: Buffer.from(serverKey, "base64"),
  };
}
