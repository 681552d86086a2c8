// What a finished TLS handshake tells about the client, of a socket and of a raw handle alike.
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { TlsHandle } from "../connections/tls-handle.ts";

export interface TlsPeer {
  readonly certificate: X509Certificate | undefined;
  /** OpenSSL's code for what is wrong with the certificate; undefined: nothing. */
  readonly complaint: string | undefined;
  /** The session of an earlier connection goes on. */
  readonly isResumed: boolean;
  /** `TLSv1.3`, … */
  readonly protocol: string;
  readonly servername: string | undefined;
}

export function peerOfSocket(socket: TLSSocket): TlsPeer {
  const { authorized, authorizationError: error, servername } = socket;
  return {
    certificate: socket.getPeerX509Certificate(),
    complaint: authorized ? undefined : codeOf(error),
    isResumed: socket.isSessionReused(),
    protocol: socket.getProtocol() ?? "",
    servername: nameOf(servername),
  };
}

/** @param asksForCertificate without it OpenSSL has verified nothing */
export function peerOfHandle(tls: TlsHandle, asksForCertificate: boolean): TlsPeer {
  const raw = asksForCertificate ? tls.getPeerCertificate(false)?.raw : undefined;
  const error = raw === undefined ? undefined : tls.verifyError();
  return {
    certificate: raw && new X509Certificate(raw),
    complaint: error === null || error === undefined ? undefined : codeOf(error),
    isResumed: tls.isSessionReused(),
    protocol: tls.getProtocol() ?? "",
    servername: nameOf(tls.getServername()),
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as { code?: string }).code ?? error.message) : String(error);
}

/** Node returns false or null where the client sent none, other than its types say. */
function nameOf(servername: string | false | null | undefined): string | undefined {
  return typeof servername === "string" && servername !== "" ? servername : undefined;
}
