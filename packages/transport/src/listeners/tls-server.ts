// A TLS server that does not listen: it gets sockets, and passes on those whose handshake is done and whose client
// certificate, if one is required, is valid.
import type { Server, Socket } from "node:net";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { asksForCertificates, certificateRefusal } from "../tls/client-certificate.ts";
import { atEachKey } from "../tls/ticket-rotation.ts";
import type { TlsIdentity } from "../tls/tls-certificates.ts";
import { peerOfSocket } from "../tls/tls-peer.ts";
import type { PreHandshakeServer } from "./pre-handshake-server.ts";

export const DEFAULT_HANDSHAKE_MS = 10_000;

export function tlsServer(
  identity: TlsIdentity,
  preHandshake: PreHandshakeServer,
  alpn: readonly string[] | undefined,
  welcome: (socket: TLSSocket) => void,
): Server {
  const { config, material } = identity;
  const options: TlsOptions = {
    ...material.options,
    requestCert: asksForCertificates(config),
    // Node would end the connection without reporting whose certificate it was and what was wrong.
    rejectUnauthorized: false,
    handshakeTimeout: config.handshakeTimeout ?? DEFAULT_HANDSHAKE_MS,
    // Without a context (undefined) Node uses the default one.
    SNICallback: (name, done) => done(null, identity.contextFor(name)),
  };
  if (alpn !== undefined) options.ALPNProtocols = [...alpn];
  const server = createServer(options);
  if (material.tickets !== undefined) {
    server.once(
      "close",
      atEachKey(material.tickets, ({ all }) => server.setTicketKeys(all)),
    );
  }
  server.on("secureConnection", (socket) => {
    preHandshake.secured(socket);
    const refusal = certificateRefusal(peerOfSocket(socket), config);
    if (refusal === undefined) welcome(socket);
    else preHandshake.refuse(socket, refusal);
  });
  server.on("tlsClientError", (cause: Error, socket: TLSSocket & { readonly _parent?: Socket | null }) => {
    socket.destroy();
    // Not public: without it the log line has no address.
    preHandshake.failed("TLS", preHandshake.clientOf(socket._parent ?? undefined), cause);
  });
  return server;
}
