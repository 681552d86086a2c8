// The public key in a PEM file, and whether it can be the key of any of the algorithms.
import { createPublicKey, type KeyObject } from "node:crypto";

const CURVES: Readonly<Record<string, string>> = { prime256v1: "ES256", secp384r1: "ES384", secp521r1: "ES512" };

/**
 * @param text PEM: a public key, a private one, or a certificate
 * @throws Error in words
 */
export function publicKeyIn(text: string, algorithms: readonly string[]): KeyObject {
  const key = keyIn(text);
  const { asymmetricKeyType: type = "unknown", asymmetricKeyDetails: details } = key;
  const curve = details?.namedCurve;
  const fits = (algorithm: string): boolean => {
    if (algorithm.startsWith("RS")) return type === "rsa";
    if (algorithm.startsWith("PS")) return type === "rsa" || type === "rsa-pss";
    if (algorithm.startsWith("ES")) return type === "ec" && CURVES[curve ?? ""] === algorithm;
    return type === "ed25519";
  };
  if (algorithms.some(fits)) return key;
  const kind = curve === undefined ? type : `${type} (${curve})`;
  throw new Error(`the key is of the type ${kind}, which does not go with ${algorithms.join(", ")}`);
}

function keyIn(text: string): KeyObject {
  try {
    return createPublicKey(text);
  } catch (cause) {
    // What OpenSSL says of other texts helps nobody.
    throw new Error("there is no public key or certificate in it (PEM)", { cause });
  }
}
