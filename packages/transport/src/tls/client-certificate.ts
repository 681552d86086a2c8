// Decides whether the client certificate of a TLS connection, or its absence, is acceptable. Node completes every
// handshake and reports the result of OpenSSL's verification afterwards, so an invalid certificate is refused here,
// also where certificates are optional. The client sees a successful handshake; the connection is closed before a byte
// of it is read.
import type { X509Certificate } from "node:crypto";
import { nameOf } from "../client-name.ts";
import { ListenerError } from "../errors.ts";
import type { TlsConfig } from "../listener-config.ts";
import { subjectOf } from "./credentials.ts";
import type { TlsPeer } from "./tls-peer.ts";

export function asksForCertificates({ requestCertificate, requireCertificate }: TlsConfig): boolean {
  return requestCertificate === true || requireCertificate === true;
}

/** @returns why the client is refused; undefined: it is accepted */
export function certificateRefusal(peer: TlsPeer, config: TlsConfig): string | undefined {
  if (!asksForCertificates(config)) return undefined;
  const { certificate, complaint } = peer;
  if (certificate === undefined) {
    return config.requireCertificate === true ? "it shows no certificate" : undefined;
  }
  const whose = shorten(subjectOf(certificate));
  if (complaint !== undefined) return `its certificate is not accepted: ${REASONS[complaint] ?? complaint} (${whose})`;
  // A resumed session has the result of its first handshake.
  if (peer.isResumed && hasEnded(certificate)) {
    return `its certificate is not accepted: ${REASONS["CERT_HAS_EXPIRED"]} (${whose})`;
  }
  return undefined;
}

export function certificateError(client: string, refusal: string): ListenerError {
  return new ListenerError("ERR_LISTENER_CERTIFICATE", `${nameOf(client)} is refused: ${refusal}`);
}

const LONGEST_SUBJECT = 256;

function shorten(subject: string): string {
  return subject.length > LONGEST_SUBJECT ? `${subject.slice(0, LONGEST_SUBJECT)}…` : subject;
}

function hasEnded({ validTo }: X509Certificate): boolean {
  return new Date(validTo).getTime() < Date.now();
}

/** OpenSSL's texts for its codes (X509_verify_cert_error_string); Node reports only the codes. */
const REASONS: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: "unable to get issuer certificate",
  UNABLE_TO_GET_CRL: "unable to get certificate CRL",
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: "unable to decrypt certificate's signature",
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: "unable to decrypt CRL's signature",
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: "unable to decode issuer public key",
  CERT_SIGNATURE_FAILURE: "certificate signature failure",
  CRL_SIGNATURE_FAILURE: "CRL signature failure",
  CERT_NOT_YET_VALID: "certificate is not yet valid",
  CERT_HAS_EXPIRED: "certificate has expired",
  CRL_NOT_YET_VALID: "CRL is not yet valid",
  CRL_HAS_EXPIRED: "CRL has expired",
  ERROR_IN_CERT_NOT_BEFORE_FIELD: "format error in certificate's notBefore field",
  ERROR_IN_CERT_NOT_AFTER_FIELD: "format error in certificate's notAfter field",
  ERROR_IN_CRL_LAST_UPDATE_FIELD: "format error in CRL's lastUpdate field",
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: "format error in CRL's nextUpdate field",
  DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed certificate",
  SELF_SIGNED_CERT_IN_CHAIN: "self-signed certificate in certificate chain",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unable to get local issuer certificate",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unable to verify the first certificate",
  CERT_CHAIN_TOO_LONG: "certificate chain too long",
  CERT_REVOKED: "certificate revoked",
  INVALID_CA: "invalid CA certificate",
  PATH_LENGTH_EXCEEDED: "path length constraint exceeded",
  INVALID_PURPOSE: "unsuitable certificate purpose",
  CERT_UNTRUSTED: "certificate not trusted",
  CERT_REJECTED: "certificate rejected",
};
