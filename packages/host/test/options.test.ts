// From the file to what broker and transports are told; what these make of it is tested there.

import { silentLogger } from "@wrenmq/broker";
import { parseConfig } from "@wrenmq/config";
import { expect, test } from "vitest";
import { configToOptions, shareOf } from "../src/index.ts";

const optionsOf = (text: string) => configToOptions(parseConfig(text, { style: "native" }).config, silentLogger);

const TLS = "tls: { certificate_file: c.pem, key_file: k.pem }";

test("what a listener's socket is told", async () => {
  const { listeners } = await optionsOf(`
listeners:
  plain: { bind: "[::1]:1", ipv6_only: true, raw_tcp: false, linger: 500ms, tcp_keep_alive: 1m }
  local: { type: unix, path: /run/w.sock, raw_tcp: false, linger: 0s }
  secure: { type: tls, bind: ":2", handshake_timeout: 3s, ${TLS} }
  web: { type: ws, bind: ":3", max_payload: 64KiB, handshake_timeout: 1500ms }
  both: { type: wss, bind: ":4", handshake_timeout: 2s, ${TLS} }
  behind: { bind: ":5", proxy_protocol: true, proxy_timeout: 1s, trusted_proxies: [10.0.0.1] }
plugins: { anonymous: }
`);
  expect(listeners).toMatchObject({
    plain: { host: "::1", ipv6Only: true, rawTcp: false, lingerTimeout: 500, tcpKeepAliveDelay: 60_000 },
    local: { rawTcp: false, lingerTimeout: 0 },
    secure: { tls: { handshakeTimeout: 3_000 } },
    web: { websocket: { maxPayload: 65_536, handshakeTimeout: 1_500 } },
    both: { tls: { handshakeTimeout: 2_000 }, websocket: { handshakeTimeout: 2_000 } },
    behind: { proxyProtocol: { trusted: ["10.0.0.1"], timeout: 1_000 } },
  });
});

test("what the broker is told", async () => {
  const { shared, hookTimeout, limits } = await optionsOf(`
plugins: { anonymous: }
shared_subscriptions: { strategy: sticky }
plugin_timeout: 2s
limits: { retain_available: false, shared_subscription_available: false }
`);
  expect([shared, hookTimeout]).toEqual([{ strategy: "sticky" }, 2_000]);
  expect(limits).toMatchObject({ retainAvailable: false, sharedSubscriptionAvailable: false });
});

test("workers share what bounds the whole broker", () => {
  const { config } = parseConfig(
    "store: { path: /d, max_bytes: 400MB }\nlimits: { max_connections: 10, max_sessions: 9 }",
  );
  const { store, limits } = shareOf(config, 2, 4);
  expect(store).toMatchObject({ path: "/d/worker-2", maxBytes: 100_000_000 });
  expect(limits).toMatchObject({ maxConnections: 3, maxSessions: 3 });
});
