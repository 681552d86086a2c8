// Reads the identity of a client from its certificate.
import type { PeerCertificate } from "@wrenmq/plugin-api";

export type CertificateIdentity = "common-name" | "subject" | "san" | "spiffe";

/** @returns undefined: the certificate has none, or one that could be misread */
export function identityOf(
  certificate: PeerCertificate,
  identity: Exclude<CertificateIdentity, "spiffe">,
): string | undefined {
  switch (identity) {
    case "common-name":
      return plain(certificate.commonName);
    case "subject":
      return certificate.subject === "" ? undefined : certificate.subject.replaceAll("\n", ",");
    case "san":
      return firstUri(certificate);
  }
}

/** The first URI of the subject alternative names. */
export function firstUri({ subjectAltNames }: PeerCertificate): string | undefined {
  return plain(subjectAltNames.find((name) => name.startsWith("URI:"))?.slice("URI:".length));
}

/** Node quotes names that contain a separator; such a name was made to be misread. */
function plain(name: string | undefined): string | undefined {
  return name === undefined || name === "" || /["\p{Cc}]/u.test(name) ? undefined : name;
}
