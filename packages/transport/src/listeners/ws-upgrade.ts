// Decides about an HTTP request that asks for an upgrade to MQTT over WebSocket. Does no I/O.
import { hash } from "node:crypto";
import { canonicalAddress } from "../ip-address.ts";
import type { WebSocketConfig } from "../listener-config.ts";
import type { TrustedAddresses } from "../proxy-protocol/trusted-addresses.ts";
import { clientHasLeft, HAS_LEFT } from "./handshake-error.ts";
import type { UpgradeRequest } from "./ws-plain-request.ts";

/** MQTT 3.1.1 and 5.0 clients offer `mqtt`, MQTT 3.1 clients `mqttv3.1`. */
export function chooseSubprotocol(offered: ReadonlySet<string>): "mqtt" | "mqttv3.1" | undefined {
  if (offered.has("mqtt")) return "mqtt"; // [MQTT-6.0.0-4]
  return offered.has("mqttv3.1") ? "mqttv3.1" : undefined;
}

/** The only version of the protocol. [RFC 6455, 4.1] */
export const WEBSOCKET_VERSION = "13";
/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** Appended to the key of the client. [RFC 6455, 1.3] */
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export interface Refusal {
  status: 400 | 403 | 404 | 408 | 426 | 431;
  reason: string;
}

export function checkUpgrade(request: UpgradeRequest, config: WebSocketConfig): Refusal | undefined {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const paths = typeof config.path === "string" ? [config.path] : config.path;
  if (paths !== undefined && !paths.includes(path)) return { status: 404, reason: "no MQTT at this path" };
  const origin = request.headers.origin;
  if (config.origins !== undefined && origin !== undefined && !config.origins.includes(origin)) {
    return { status: 403, reason: "origin not allowed" };
  }
  if (chooseSubprotocol(offeredSubprotocols(request)) === undefined) {
    return { status: 400, reason: "subprotocol must be mqtt or mqttv3.1" };
  }
  return checkHandshake(request);
}

/** [RFC 6455, 4.2.1] */
function checkHandshake({ method, headers }: UpgradeRequest): Refusal | undefined {
  const isUpgrade = method === "GET" && headers.upgrade?.toLowerCase() === "websocket";
  if (!isUpgrade || !KEY.test(headers["sec-websocket-key"] ?? "")) {
    return { status: 400, reason: "the headers of the request are wrong" };
  }
  if (headers["sec-websocket-version"] === WEBSOCKET_VERSION) return undefined;
  return { status: 426, reason: `the version of WebSocket is not ${WEBSOCKET_VERSION}` };
}

function offeredSubprotocols({ headers }: UpgradeRequest): ReadonlySet<string> {
  return new Set((headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim()));
}

/** The response to a request that has passed `checkUpgrade`. [RFC 6455, 4.2.2] */
export function acceptance(request: UpgradeRequest): string {
  const key = request.headers["sec-websocket-key"] ?? "";
  const accept = hash("sha1", `${key}${ACCEPT_GUID}`, "base64");
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    `Sec-WebSocket-Protocol: ${chooseSubprotocol(offeredSubprotocols(request))}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** The error with which Node reports a request that it cannot parse. */
export type RequestError = Error & { readonly code?: string; readonly rawPacket?: Uint8Array };

/** First byte of a TLS handshake. */
const TLS_HANDSHAKE = 0x16;

export function requestRefusal(error: RequestError): Refusal {
  const { code, message, rawPacket } = error;
  if (code === "HPE_HEADER_OVERFLOW") return { status: 431, reason: "the headers are too large" };
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return { status: 408, reason: "no request in time" };
  if (clientHasLeft(error)) return { status: 400, reason: HAS_LEFT };
  return { status: 400, reason: rawPacket?.[0] === TLS_HANDSHAKE ? "the client speaks TLS" : `no HTTP: ${message}` };
}

/**
 * The client behind trusted proxies. Each proxy appends the address of its peer, so the header is read from the right
 * up to the first address that is not a trusted proxy. Anyone can have written what is left of that.
 */
export function forwardedFor(peer: string, header: string | undefined, trusted: TrustedAddresses): string {
  let address = peer;
  const hops = (header ?? "").split(",").map((hop) => hop.trim());
  while (trusted.has(address)) {
    const hop = hopAddress(hops.pop() ?? "");
    if (hop === undefined) return address;
    address = hop;
  }
  return address;
}

/** `192.0.2.1`, `192.0.2.1:5678`, `2001:db8::1`, `[2001:db8::1]:5678`. */
function hopAddress(hop: string): string | undefined {
  const bare = /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
  return canonicalAddress(bare);
}
