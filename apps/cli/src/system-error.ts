// Plain words for errors of the system, of TLS and of name look-ups, instead of ENOENT and the like.

const WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "this machine does not have the address",
  EAI_AGAIN: "the name of the host cannot be looked up at the moment",
  EBUSY: "it is in use",
  ECONNABORTED: "the connection was closed",
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the other side closed the connection",
  EEXIST: "it exists already",
  EHOSTUNREACH: "the host cannot be reached",
  EISDIR: "it is a folder",
  ELOOP: "too many symbolic links",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ENETUNREACH: "the network cannot be reached",
  ENFILE: "too many files are open",
  ENOENT: "no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is not a folder",
  ENOTEMPTY: "the folder is not empty",
  ENOTFOUND: "there is no host of this name",
  EPERM: "it is not permitted",
  EPIPE: "the other side closed the connection",
  EROFS: "the file system is read-only",
  ETIMEDOUT: "no answer in time",
};

const TLS_WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is signed by itself, and not a trusted one (--ca-file)",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is signed by an authority that is not trusted (--ca-file)",
  UNABLE_TO_GET_ISSUER_CERT: "the server's certificate is signed by an authority that is not trusted (--ca-file)",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the server's certificate is signed by an authority that is not trusted (--ca-file)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate is signed by an authority that is not trusted (--ca-file)",
};

/** By OpenSSL's names. */
const OPENSSL_WORDS: Readonly<Record<string, string>> = {
  "wrong version number": "the other side does not speak TLS",
  "packet length too long": "the other side does not speak TLS",
  "http request": "the other side does not speak TLS",
  "tlsv13 alert certificate required": "the server asks for a client certificate (--cert-file, --key-file)",
  "no start line": "there is no certificate or key in it (PEM)",
  "bad decrypt": "the key is encrypted with another passphrase",
  "interrupted or cancelled": "the key is encrypted and there is no passphrase",
  "key values mismatch": "the key does not belong to the certificate",
};

/**
 * The form of OpenSSL's messages: `80A2…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/…`.
 */
const OPENSSL = /(?:^|\s|:)error:[0-9A-F]{6,}:[^:]*:[^:]*:([^:\n]*)/i;

/** The words without codes; undefined for any other error. */
export function systemReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof AggregateError && error.errors.length > 0) return systemReason(error.errors[0]);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const known = TLS_WORDS[code] ?? WORDS[code];
  if (known !== undefined) return known;
  const written = OPENSSL.exec(error.message)?.[1]?.trim().replaceAll("_", " ");
  if (written !== undefined) return OPENSSL_WORDS[written] ?? `TLS failed${written === "" ? "" : ` (${written})`}`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "the server's certificate is for another host";
  return "syscall" in error && code !== "" ? `the system says ${code}` : undefined;
}

/** {@link systemReason} after the name of the file, if the error has one; the message of any other error. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = systemReason(error);
  if (reason === undefined) return error.message || error.name;
  const { path } = error as { path?: unknown };
  return typeof path === "string" && path !== "" ? `${path}: ${reason}` : reason;
}
