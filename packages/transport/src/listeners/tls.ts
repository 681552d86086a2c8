// The TLS listener: where possible its clients have no sockets (raw-tls.ts), otherwise Node's own (tls-server.ts).

import type { Server, Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { Accept } from "../connection.ts";
import { takeHandles } from "../connections/raw-handle.ts";
import { RawInfo } from "../connections/raw-info.ts";
import { type BeginTls, type RawHandshake, rawTls } from "../connections/raw-tls.ts";
import { StreamConnection } from "../connections/stream-connection.ts";
import { type NativeContext, nativeContext } from "../connections/tls-handle.ts";
import { DEFAULT_LINGER_MS, type TlsListenerConfig } from "../listener-config.ts";
import { trustedProxies } from "../proxy-protocol/proxy-admission.ts";
import { asksForCertificates, certificateRefusal } from "../tls/client-certificate.ts";
import { useTicketKeys } from "../tls/ticket-rotation.ts";
import type { TlsIdentity } from "../tls/tls-certificates.ts";
import { RawTlsInfo, TlsSocketInfo } from "../tls/tls-info.ts";
import { peerOfHandle } from "../tls/tls-peer.ts";
import { admit } from "./admission.ts";
import { HandshakeListener } from "./handshake-listener.ts";
import type { ListenerContext } from "./listener.ts";
import type { PreHandshakeServer, Stage } from "./pre-handshake-server.ts";
import { DEFAULT_HANDSHAKE_MS, tlsServer } from "./tls-server.ts";

export class TlsListener extends HandshakeListener<TlsListenerConfig> {
  private readonly accept: Accept;
  /** Handshakes without sockets that are not done. */
  private readonly handshakes = new Set<RawHandshake>();

  constructor(config: TlsListenerConfig, accept: Accept, options: ListenerContext) {
    super(config, options);
    this.accept = accept;
  }

  override async close(): Promise<void> {
    for (const handshake of this.handshakes) handshake.destroy();
    await super.close();
  }

  protected override stage(config: TlsListenerConfig, preHandshake: PreHandshakeServer, identity: TlsIdentity): Stage {
    const server = tlsServer(identity, preHandshake, config.tls.alpn, (socket) => {
      const info = new TlsSocketInfo("tls", socket, preHandshake.arrived(socket));
      socket.allowHalfOpen = true;
      admit(new StreamConnection(socket, info, config.lingerTimeout, this), this.accept, this.options.onError);
    });
    return {
      config,
      begin: (socket: Socket) => void server.emit("connection", socket),
      listening: (listening) => this.acceptRaw(listening, config, preHandshake, identity),
      isProxy: () => false,
      close: () => void server.close(),
    };
  }

  private acceptRaw(
    server: Server,
    config: TlsListenerConfig,
    preHandshake: PreHandshakeServer,
    identity: TlsIdentity,
  ): (() => void) | undefined {
    const begin = this.beginRaw(config, preHandshake, identity);
    if (begin === undefined) return undefined;
    const { tickets, context, byName } = identity.material;
    const contexts = [context, ...byName.values()].flatMap((each) => nativeContext(each) ?? []);
    const endKeys = tickets && useTicketKeys(contexts, tickets);
    const { tcpKeepAliveDelay: keepAliveMs } = config;
    const keepAliveSeconds = keepAliveMs === undefined ? undefined : Math.trunc(keepAliveMs / 1000);
    const proxies = trustedProxies(config.proxyProtocol);
    const { admits } = this.options;
    const release = takeHandles(server, { keepAliveSeconds }, (handle) => {
      const info = new RawInfo("tls", handle);
      const { remoteAddress } = info;
      // Behind a proxy the client is known after its header, which is read from a socket.
      if (proxies?.has(remoteAddress) === true) return false;
      // Without an address it is closed already.
      if (remoteAddress === "" || admits?.(info) === false) handle.close(() => {});
      else begin(handle, remoteAddress);
      return true;
    });
    return () => {
      endKeys?.();
      release?.();
    };
  }

  private beginRaw(
    config: TlsListenerConfig,
    preHandshake: PreHandshakeServer,
    identity: TlsIdentity,
  ): BeginTls | undefined {
    const { readBuffer: buffer } = this.options;
    const { tls, lingerTimeout = DEFAULT_LINGER_MS } = config;
    const context = nativeContext(identity.material.context);
    if (buffer === undefined || context === undefined || config.rawTcp === false) return undefined;
    const asksForCertificate = asksForCertificates(tls);
    const done = (handshake: RawHandshake): void => {
      const peer = peerOfHandle(handshake.tls, asksForCertificate);
      const refusal = certificateRefusal(peer, tls);
      if (refusal !== undefined) {
        handshake.destroy();
        preHandshake.refused(handshake.client, refusal);
        return;
      }
      const connection = handshake.accept();
      connection.info = new RawTlsInfo(handshake.tls, peer);
      admit(connection, this.accept, this.options.onError);
    };
    return rawTls({
      context,
      contextFor: identity.material.byName.size > 0 ? (name) => nativeOf(identity.contextFor(name)) : undefined,
      asksForCertificate,
      alpn: tls.alpn && wireNames(tls.alpn),
      timeout: tls.handshakeTimeout ?? DEFAULT_HANDSHAKE_MS,
      buffer,
      lingerTimeout,
      count: this,
      waiting: this.handshakes,
      done,
      failed: ({ client }, error) => preHandshake.failed("TLS", client, error),
    });
  }
}

function nativeOf(context: SecureContext | undefined): NativeContext | undefined {
  return context && nativeContext(context);
}

/** ALPN names as they are sent: each after its length. */
function wireNames(names: readonly string[]): Uint8Array {
  return Buffer.concat(names.flatMap((name) => [Buffer.of(name.length), Buffer.from(name, "latin1")]));
}
