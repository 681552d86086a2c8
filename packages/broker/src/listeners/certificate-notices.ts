// Logs what concerns certificates and revocation lists of a listener: one line when one has changed, and one a day for
// each that expires soon.
import type { Logger } from "@wrenmq/plugin-api";
import type { CertificateNotice } from "@wrenmq/transport";

export function logCertificate(logger: Logger, listener: string, notice: CertificateNotice, now: number): void {
  const { what, kind, subject, end, file } = notice;
  const ends = end?.toISOString();
  const fields = { listener, subject, ends, ...(file === undefined ? {} : { file }) };
  if (what === "changed") logger.info(fields, `a ${kind} was read anew`);
  else if (end !== undefined && end.getTime() > now) logger.warn(fields, `a ${kind} ends soon`);
  else logger.warn(fields, `a ${kind} has ended`);
}
