// What a finished TLS handshake says about the client.
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
    // Of a resumed session without a certificate Node says that it is authorized.
    authorized: socket.authorized && certificate !== undefined,
    protocol: socket.getProtocol() ?? "",
    // Node says false where the client named none; its types say string.
    servername: typeof socket.servername === "string" && socket.servername !== "" ? socket.servername : undefined,
  };
  if (certificate !== undefined) info.certificate = certificate;
  return info;
}

function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const x509 = socket.getPeerX509Certificate();
  if (x509 === undefined) return undefined;
  const certificate: PeerCertificate = {
    // Node says undefined where there is none; its types say string.
    subject: (x509.subject as string | undefined) ?? "",
    subjectAltNames: splitAltNames(x509.subjectAltName ?? ""),
    fingerprint256: x509.fingerprint256,
    serialNumber: x509.serialNumber,
    raw: x509.raw,
  };
  // A certificate may hold several common names; the first is the one other brokers use.
  const names = socket.getPeerCertificate().subject.CN as string | readonly string[] | undefined;
  const commonName = typeof names === "string" ? names : names?.[0];
  if (commonName !== undefined) certificate.commonName = commonName;
  return certificate;
}

/**
 * `DNS:a.example, URI:urn:b` to its pieces. Node writes a value that could be mistaken for two as a JSON string
 * (`URI:"urn:a, DNS:b"`), so a comma counts only outside quotes.
 */
export function splitAltNames(text: string): string[] {
  return (
    text
      .match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g)
      ?.map((piece) => piece.trim())
      .filter((piece) => piece !== "") ?? []
  );
}
