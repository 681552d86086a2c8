// Finds certificates, keys and revocation lists in PEM texts, checks that each can be parsed, and reads their subjects
// and dates.
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { messageOf } from "../errors.ts";
import { revocationListFacts } from "./der.ts";
import type { PemText } from "./pem-files.ts";

export type CredentialKind = "certificate" | "authority" | "revocation list";

/** One certificate or revocation list in use. */
export interface Credential {
  /** authority: it signs client certificates. */
  readonly kind: CredentialKind;
  /** `CN=mqtt.example, O=Example`; of a revocation list, its issuer. */
  readonly subject: string;
  /** Start of its validity; undefined: it has none. */
  readonly begin: Date | undefined;
  /** End of its validity; undefined: it has none. */
  readonly end: Date | undefined;
  readonly file: string | undefined;
  /** Different for any two credentials. */
  readonly fingerprint: string;
}

/** What is wrong with a PEM text, without the name of its file. */
export class CredentialError extends Error {}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const CERTIFICATE_BLOCK = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \1-----/g;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
const LIST = /-----BEGIN X509 CRL-----/g;
const LIST_BLOCK = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g;

const where = ({ file }: PemText): string => (file === undefined ? "" : ` in ${file}`);
const howMany = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

/**
 * Node parses as far as it can and does not report the rest.
 * @throws CredentialError when one cannot be parsed
 */
export function certificatesIn(pem: PemText): X509Certificate[] {
  const blocks = pem.text.match(CERTIFICATE_BLOCK) ?? [];
  const certificates = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new CredentialError(`certificate ${index + 1}${where(pem)} cannot be read: ${opensslReason(cause)}`, {
        cause,
      });
    }
  });
  if (howMany(pem.text, CERTIFICATE) > blocks.length) {
    throw new CredentialError(`certificate ${blocks.length + 1}${where(pem)} cannot be read: it has no end`);
  }
  return certificates;
}

/** @throws CredentialError when there is none, or one cannot be parsed */
export function someCertificatesIn(pem: PemText): X509Certificate[] {
  const certificates = certificatesIn(pem);
  if (certificates.length > 0) return certificates;
  throw new CredentialError(`there is no certificate (PEM)${where(pem)}`);
}

/**
 * Each list as a separate text: Node reads only the first one of a text.
 * @throws CredentialError
 */
export function revocationListsIn(pem: PemText): { readonly text: string; readonly credential: Credential }[] {
  const blocks = [...pem.text.matchAll(LIST_BLOCK)];
  if (blocks.length === 0) throw new CredentialError(`there is no revocation list (PEM, "X509 CRL")${where(pem)}`);
  if (howMany(pem.text, LIST) > blocks.length) throw new CredentialError(`a revocation list${where(pem)} has no end`);
  return blocks.map(([text, body = ""], index) => {
    const der = Buffer.from(body, "base64");
    const facts = revocationListFacts(der);
    if (facts === undefined) throw new CredentialError(`revocation list ${index + 1}${where(pem)} cannot be read`);
    const credential: Credential = {
      kind: "revocation list",
      subject: facts.issuer,
      begin: undefined,
      end: facts.nextUpdate,
      file: pem.file,
      fingerprint: createHash("sha256").update(der).digest("hex"),
    };
    return { text, credential };
  });
}

/** @throws CredentialError */
export function privateKeyIn(pem: PemText, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey(passphrase === undefined ? pem.text : { key: pem.text, passphrase });
  } catch (cause) {
    const why =
      passphrase === undefined && ENCRYPTED.test(pem.text)
        ? `the key${where(pem)} is encrypted: it needs its passphrase`
        : passphrase === undefined
          ? `there is no readable private key (PEM)${where(pem)}`
          : `there is no key that the passphrase opens${where(pem)}`;
    throw new CredentialError(why, { cause });
  }
}

export function credentialOf(
  kind: "certificate" | "authority",
  certificate: X509Certificate,
  { file }: PemText,
): Credential {
  const { validFrom, validTo, fingerprint256: fingerprint } = certificate;
  return {
    kind,
    subject: subjectOf(certificate),
    begin: new Date(validFrom),
    end: new Date(validTo),
    file,
    fingerprint,
  };
}

/** In one line. Node returns undefined where there is none, other than its types say. */
export function subjectOf({
  subject,
  serialNumber,
}: {
  readonly subject: string;
  readonly serialNumber: string;
}): string {
  const parts = ((subject as string | undefined) ?? "").split("\n").filter((part) => part !== "");
  return parts.length === 0 ? `serial number ${serialNumber}` : parts.join(", ");
}

/** The `reason` of an OpenSSL error is clearer than its message, `error:0A0000B9:SSL routines::no cipher match`. */
export function opensslReason(cause: unknown): string {
  const { reason } = cause as { reason?: unknown };
  return typeof reason === "string" ? `OpenSSL says: ${reason}` : messageOf(cause);
}
