// What a finished TLS handshake tells about the client, as `TlsInfo`.
import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { PeerCertificate, TlsInfo } from "../connection.ts";
import { RawInfo } from "../connections/raw-info.ts";
import { SocketInfo } from "../connections/socket-info.ts";
import type { TlsHandle } from "../connections/tls-handle.ts";
import { peerOfSocket, type TlsPeer } from "./tls-peer.ts";

export class TlsSocketInfo extends SocketInfo {
  readonly tls: TlsInfo;

  constructor(transport: "tls" | "wss", socket: TLSSocket, source?: { address: string; port: number | undefined }) {
    super(transport, socket, source);
    this.tls = tlsInfo(socket);
  }
}

export class RawTlsInfo extends RawInfo {
  readonly tls: TlsInfo;

  constructor(handle: TlsHandle, peer: TlsPeer) {
    super("tls", handle);
    this.tls = infoOf(peer);
  }
}

export function tlsInfo(socket: TLSSocket): TlsInfo {
  return infoOf(peerOfSocket(socket));
}

function infoOf({ certificate: x509, complaint, protocol, servername }: TlsPeer): TlsInfo {
  // A resumed session without a certificate has nothing to complain of.
  const info: TlsInfo = { authorized: complaint === undefined && x509 !== undefined, protocol, servername };
  if (x509 !== undefined) info.certificate = peerCertificate(x509);
  return info;
}

function peerCertificate(x509: X509Certificate): PeerCertificate {
  const certificate: PeerCertificate = {
    // Node returns undefined where there is none, other than its types say.
    subject: (x509.subject as string | undefined) ?? "",
    subjectAltNames: splitAltNames(x509.subjectAltName ?? ""),
    fingerprint256: x509.fingerprint256,
    serialNumber: x509.serialNumber,
    raw: x509.raw,
  };
  // A certificate may have several common names; other brokers use the first.
  const { subject } = x509.toLegacyObject() as { subject?: { CN?: string | readonly string[] } };
  const names = subject?.CN;
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
