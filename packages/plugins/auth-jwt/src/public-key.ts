// Reads the public key in a PEM file, and checks that an algorithm can use it.
import { createPublicKey, type KeyObject } from "node:crypto";

const CURVES: Readonly<Record<string, string>> = { prime256v1: "ES256", secp384r1: "ES384", secp521r1: "ES512" };

/**
 * @param text PEM: a public key, a private key or a certificate
 * @throws Error whose message is for the user
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
    // OpenSSL's messages about other texts do not help.
    throw new Error("there is no public key or certificate in it (PEM)", { cause });
  }
}
