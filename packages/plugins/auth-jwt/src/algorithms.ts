// Signature algorithms of tokens. They come from the configuration, never from the token. Algorithms with a shared
// secret and with a public key are never accepted together: a public key could then be used as the secret.

export const HMAC_ALGORITHMS: readonly string[] = ["HS256", "HS384", "HS512"];
export const PUBLIC_KEY_ALGORITHMS: readonly string[] = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

/** What is wrong with the algorithms and keys, in one line; undefined: nothing. */
export function mistakeInKeys(given: {
  readonly algorithms: readonly string[];
  readonly secretKey: string | undefined;
  readonly publicKeyFile: string | undefined;
  readonly jwksUrl: string | undefined;
}): string | undefined {
  const keys = [given.secretKey, given.publicKeyFile, given.jwksUrl].filter((key) => key !== undefined);
  if (keys.length !== 1) return "give exactly one of secretKey, publicKeyFile and jwksUrl";
  if (given.jwksUrl !== undefined && !/^https?:$/.test(protocolOf(given.jwksUrl) ?? "")) {
    return "jwksUrl: expected a URL such as https://example.org/jwks.json";
  }
  if (given.algorithms.length === 0) return "algorithms: name at least one";
  const usable = given.secretKey === undefined ? PUBLIC_KEY_ALGORITHMS : HMAC_ALGORITHMS;
  const wrong = given.algorithms.find((algorithm) => !usable.includes(algorithm));
  if (wrong === undefined) return undefined;
  const key = given.secretKey === undefined ? "a public key" : "secretKey";
  return `algorithms: ${wrong} does not go with ${key}; use ${usable.join(", ")}`;
}

function protocolOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).protocol : undefined;
}
