// Converts a listener of the configuration to options of the broker.
import type { ListenerOptions } from "@wrenmq/broker";
import type { ListenerSection, WrenConfig } from "@wrenmq/config";
import type { TlsConfig, WebSocketConfig } from "@wrenmq/transport";
import { defined } from "./defined.ts";
import { tlsOf } from "./tls-options.ts";

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
  const { type, host, port = 0, path, mode, tls, proxyProtocol, trustedProxies, handshakeTimeout } = listener;
  const { backlog, lingerTimeout, rawTcp, ipv6Only, tcpKeepAliveDelay, proxyTimeout: timeout } = listener;
  const common = {
    ...defined({ backlog, lingerTimeout }),
    ...(proxyProtocol ? { proxyProtocol: { trusted: trustedProxies, ...defined({ timeout }) } } : {}),
  };
  const address = { port, ...defined({ host, ipv6Only, tcpKeepAliveDelay }), ...common };
  const secured = (): { tls: TlsConfig } => ({
    tls: { ...tlsOf(need(tls, listener)), ...defined({ handshakeTimeout }) },
  });
  switch (type) {
    case "tcp":
      return { type, ...address, ...defined({ rawTcp }) };
    case "tls":
      return { type, ...address, ...secured(), ...defined({ rawTcp }) };
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

/** The reader of the configuration has checked that these are present. */
function need<T>(value: T | undefined, { name }: ListenerSection): T {
  if (value === undefined) throw new TypeError(`listener ${name} is incomplete`);
  return value;
}

function webSocketOf(listener: ListenerSection): WebSocketConfig {
  const { path, origins, trustedProxies, proxyProtocol, maxPayload, handshakeTimeout } = listener;
  return {
    ...defined({ path, maxPayload, handshakeTimeout }),
    ...(origins.length > 0 ? { origins } : {}),
    // With the PROXY protocol its header has the client's address; X-Forwarded-For would come from the client.
    ...(proxyProtocol || trustedProxies.length === 0 ? {} : { trustedProxies }),
  };
}
