// One listener of the configuration → the broker's options for it.
import type { ListenerOptions } from "@wrenmq/broker";
import type { ListenerSection, TlsSection, WrenConfig } from "@wrenmq/config";
import type { PemSource, TlsConfig, WebSocketConfig } from "@wrenmq/transport";

type Given<T> = { [Key in keyof T]?: T[Key] | undefined };

/** Without the keys that are undefined: with `exactOptionalPropertyTypes` those are something else than absent ones. */
export function defined<T extends object>(given: Given<T>): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;
}

export function listenersToOptions({ listeners }: Pick<WrenConfig, "listeners">): Record<string, ListenerOptions> {
  return Object.fromEntries(listeners.map((listener) => [listener.name, listenerToOptions(listener)]));
}

export function listenerToOptions(listener: ListenerSection): ListenerOptions {
  const { access, limits, maxConnections } = listener;
  return {
    ...socketOf(listener),
    ...(maxConnections > 0 ? { maxConnections } : {}),
    ...(access === "inherit" ? {} : { plugins: access }),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
  };
}

function socketOf(listener: ListenerSection): ListenerOptions {
  const { type, host, port = 0, path, mode, tls, proxyProtocol, trustedProxies, handshakeTimeoutMs } = listener;
  const { backlog, lingerMs, rawTcp, ipv6Only, tcpKeepAliveMs, proxyTimeoutMs: timeoutMs } = listener;
  const common = {
    ...defined({ backlog, lingerMs }),
    ...(proxyProtocol ? { proxyProtocol: { trusted: trustedProxies, ...defined({ timeoutMs }) } } : {}),
  };
  const address = { port, ...defined({ host, ipv6Only, tcpKeepAliveMs }), ...common };
  const secured = (): { tls: TlsConfig } => ({
    tls: { ...tlsOf(need(tls, listener)), ...defined({ handshakeTimeoutMs }) },
  });
  switch (type) {
    case "tcp":
      return { type, ...address, ...defined({ rawTcp }) };
    case "tls":
      return { type, ...address, ...secured() };
    case "ws":
      return { type, ...address, websocket: webSocketOf(listener) };
    case "wss":
      return { type, ...address, ...secured(), websocket: webSocketOf(listener) };
    case "unix":
      return { type, path: need(path, listener), ...defined({ mode, rawTcp }), ...common };
    case "external":
      return { type };
  }
}

/** The configuration's reader has made sure that these are there. */
function need<T>(value: T | undefined, { name }: ListenerSection): T {
  if (value === undefined) throw new TypeError(`listener ${name} is incomplete`);
  return value;
}

function webSocketOf(listener: ListenerSection): WebSocketConfig {
  const { path, origins, trustedProxies, proxyProtocol, maxPayload, handshakeTimeoutMs } = listener;
  return {
    ...defined({ path, maxPayload, handshakeTimeoutMs }),
    ...(origins.length > 0 ? { origins } : {}),
    // Behind a proxy that speaks the PROXY protocol the header is the proxy's word; the other one would be the client's.
    ...(proxyProtocol || trustedProxies.length === 0 ? {} : { trustedProxies }),
  };
}

function tlsOf(tls: TlsSection): TlsConfig {
  const { certificateFile, keyFile, keyPassphrase, caFile, caPath, caData, crlFile, sni, watchFiles } = tls;
  const ca: PemSource[] = [caFile, caData].filter((source) => source !== undefined);
  return {
    certificates: [
      { cert: certificateFile, key: keyFile, ...defined({ passphrase: keyPassphrase }) },
      ...sni.map((one) => ({ cert: one.certificateFile, key: one.keyFile, servernames: [one.serverName] })),
    ],
    ...(ca.length > 0 ? { ca } : {}),
    ...defined({ caPath, crl: crlFile, ciphers: tls.ciphers }),
    requestCertificate: tls.requestCertificate,
    requireCertificate: tls.requireCertificate,
    minVersion: tls.minimumVersion,
    ...(watchFiles ? {} : { watchIntervalMs: 0 }),
  };
}
