// Verifies a token and returns its claims.
import { readContents } from "@wrenmq/watched-file";
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from "jose";
import { publicKeyIn } from "./public-key.ts";

export interface VerifierOptions {
  readonly algorithms: readonly string[];
  readonly secretKey: string | undefined;
  readonly publicKeyFile: string | undefined;
  readonly jwksUrl: string | undefined;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** Seconds that clocks may differ by. */
  readonly clockToleranceSeconds: number;
  /** Milliseconds. */
  readonly timeout: number;
}

export type Checked =
  | { readonly valid: true; readonly claims: JWTPayload }
  | { readonly valid: false; readonly reason: string };

/** Rejects only when the keys cannot be loaded; an invalid token is a normal result. */
export type VerifyToken = (token: string) => Promise<Checked>;

/** @throws Error when the key file cannot be read or is not a public key */
export async function tokenVerifier(options: VerifierOptions): Promise<VerifyToken> {
  const { secretKey, publicKeyFile, jwksUrl, issuer, audience, clockToleranceSeconds, timeout } = options;
  const verifyOptions: JWTVerifyOptions = {
    algorithms: [...options.algorithms],
    clockTolerance: clockToleranceSeconds,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
  if (jwksUrl !== undefined) {
    const keys = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: timeout });
    return (token) => check(jwtVerify(token, keys, verifyOptions));
  }
  const key =
    publicKeyFile === undefined
      ? new TextEncoder().encode(secretKey)
      : await readContents(publicKeyFile, (text) => publicKeyIn(text, options.algorithms));
  return (token) => check(jwtVerify(token, key, verifyOptions));
}

/** Errors caused by the token; all others are ours or the key server's. */
const FAULTS_OF_TOKEN = [
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
];

async function check(verified: Promise<{ payload: JWTPayload }>): Promise<Checked> {
  try {
    return { valid: true, claims: (await verified).payload };
  } catch (error) {
    const fault = FAULTS_OF_TOKEN.find((kind) => error instanceof kind);
    if (fault === undefined) throw error;
    return { valid: false, reason: (error as Error).message };
  }
}
