// The description of a relayed connection, as text: sent once, when the relay opens.
import type { ConnectionInfo, PeerCertificate, TlsInfo } from "@wrenmq/transport";
import { malformed } from "../errors.ts";

export interface RelayOpening {
  readonly listener: string;
  readonly info: ConnectionInfo;
}

type CertificateText = Omit<PeerCertificate, "raw"> & { readonly raw: string };

export function openingToText({ listener, info }: RelayOpening): string {
  const { transport, remoteAddress, remotePort, localAddress, localPort, headers } = info;
  const tls = info.tls && tlsToJson(info.tls);
  return JSON.stringify({
    listener,
    info: { transport, remoteAddress, remotePort, localAddress, localPort, headers, tls },
  });
}

/** @throws ClusterError ERR_CLUSTER_FRAME */
export function openingFromText(text: string): RelayOpening {
  let opening: RelayOpening;
  try {
    opening = JSON.parse(text) as RelayOpening;
  } catch {
    throw malformed("the opening of a relay is no JSON");
  }
  const { listener, info } = opening ?? {};
  if (typeof listener !== "string" || typeof info?.remoteAddress !== "string")
    throw malformed("the opening of a relay");
  const { tls, ...rest } = info;
  return { listener, info: { ...rest, ...(tls === undefined ? {} : { tls: tlsFromJson(tls) }) } };
}

function tlsToJson(tls: TlsInfo): object {
  const { authorized, protocol, servername, certificate } = tls;
  if (certificate === undefined) return { authorized, protocol, servername };
  const raw = Buffer.from(certificate.raw).toString("base64");
  return { authorized, protocol, servername, certificate: { ...certificate, raw } };
}

function tlsFromJson(tls: TlsInfo): TlsInfo {
  if (tls.certificate === undefined) return tls;
  const { raw, ...rest } = tls.certificate as unknown as CertificateText;
  return { ...tls, certificate: { ...rest, raw: new Uint8Array(Buffer.from(raw, "base64")) } };
}
