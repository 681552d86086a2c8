// A TLS server that never listens: it is handed sockets, and hands on those whose handshake is done and whose certificate,
// where one is asked for, is good.
import type { Server, Socket } from "node:net";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { asksForCertificates, certificateRefusal } from "../tls/client-certificate.ts";
import type { TlsIdentity } from "../tls/tls-certificates.ts";
import type { PreHandshakeServer } from "./pre-handshake-server.ts";

const DEFAULT_HANDSHAKE_MS = 10_000;

export function tlsServer(
  identity: TlsIdentity,
  front: PreHandshakeServer,
  alpn: readonly string[] | undefined,
  welcome: (socket: TLSSocket) => void,
): Server {
  const { config, material } = identity;
  const options: TlsOptions = {
    ...material.options,
    requestCert: asksForCertificates(config),
    // Node would end the connection without a word about whose certificate it was, and why.
    rejectUnauthorized: false,
    handshakeTimeout: config.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_MS,
    // No context (undefined) means the default one.
    SNICallback: (name, done) => done(null, identity.contextFor(name)),
  };
  if (alpn !== undefined) options.ALPNProtocols = [...alpn];
  const server = createServer(options);
  server.on("secureConnection", (socket) => {
    front.secured(socket);
    const refusal = certificateRefusal(socket, config);
    if (refusal === undefined) welcome(socket);
    else front.refuse(socket, refusal);
  });
  server.on("tlsClientError", (cause: Error, socket: TLSSocket & { readonly _parent?: Socket | null }) => {
    socket.destroy();
    // Not public: where it is missing the line says less.
    front.failed("TLS", front.clientOf(socket._parent ?? undefined), cause);
  });
  return server;
}
