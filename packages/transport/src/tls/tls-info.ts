// What a finished TLS handshake tells about the client, as `TlsInfo`.
import type { TLSSocket } from "node:tls";
import type { PeerCertificate, TlsInfo } from "../connection.ts";
import { SocketInfo } from "../connections/socket-info.ts";

export class TlsSocketInfo extends SocketInfo {
  readonly tls: TlsInfo;

  constructor(transport: "tls" | "wss", socket: TLSSocket, source?: { address: string; port: number | undefined }) {
    super(transport, socket, source);
    this.tls = tlsInfo(socket);
  }
}

export function tlsInfo(socket: TLSSocket): TlsInfo {
  const certificate = peerCertificate(socket);
  const info: TlsInfo = {
    // Node reports a resumed session without a certificate as authorized.
    authorized: socket.authorized && certificate !== undefined,
    protocol: socket.getProtocol() ?? "",
    // Node returns false where the client sent no name, other than its types say.
    servername: typeof socket.servername === "string" && socket.servername !== "" ? socket.servername : undefined,
  };
  if (certificate !== undefined) info.certificate = certificate;
  return info;
}

function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const x509 = socket.getPeerX509Certificate();
  if (x509 === undefined) return undefined;
  const certificate: PeerCertificate = {
    // Node returns undefined where there is none, other than its types say.
    subject: (x509.subject as string | undefined) ?? "",
    subjectAltNames: splitAltNames(x509.subjectAltName ?? ""),
    fingerprint256: x509.fingerprint256,
    serialNumber: x509.serialNumber,
    raw: x509.raw,
  };
  // A certificate may have several common names; other brokers use the first.
  const names = socket.getPeerCertificate().subject.CN as string | readonly string[] | undefined;
  const commonName = typeof names === "string" ? names : names?.[0];
  if (commonName !== undefined) certificate.commonName = commonName;
  return certificate;
}

/**
 * Splits `DNS:a.example, URI:urn:b`. Node writes a value that contains a comma as a JSON string (`URI:"urn:a, DNS:b"`),
 * so only commas outside quotes count.
 */
export function splitAltNames(text: string): string[] {
  return (
    text
      .match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g)
      ?.map((piece) => piece.trim())
      .filter((piece) => piece !== "") ?? []
  );
}
