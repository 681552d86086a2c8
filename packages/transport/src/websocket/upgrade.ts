// Decides about an HTTP request that asks for an upgrade to MQTT over WebSocket, and words the answer. Does no I/O.
import { hash } from "node:crypto";
import { STATUS_CODES } from "node:http";
import { clientHasLeft, HAS_LEFT } from "../handshake-error.ts";
import { canonicalAddress } from "../ip-address.ts";
import type { WebSocketConfig } from "../listener-config.ts";
import type { TrustedAddresses } from "../proxy-protocol/trusted-addresses.ts";
import type { UpgradeRequest } from "./plain-request.ts";

/** MQTT 3.1.1 and 5.0 clients offer `mqtt`, MQTT 3.1 clients `mqttv3.1`. */
function chooseSubprotocol({ headers }: UpgradeRequest): "mqtt" | "mqttv3.1" | undefined {
  const offered = headers["sec-websocket-protocol"];
  if (offered === undefined || offered === "mqtt") return offered; // [MQTT-6.0.0-4]
  const names = offered.split(",").map((name) => name.trim());
  if (names.includes("mqtt")) return "mqtt";
  return names.includes("mqttv3.1") ? "mqttv3.1" : undefined;
}

/** The only version of the protocol. [RFC 6455, 4.1] */
const WEBSOCKET_VERSION = "13";
/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** Appended to the key of the client. [RFC 6455, 1.3] */
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const SWITCHING =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";

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
  if (chooseSubprotocol(request) === undefined) {
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

/** The response to a request that has passed `checkUpgrade`. [RFC 6455, 4.2.2] */
export function acceptance(request: UpgradeRequest): Buffer {
  const key = request.headers["sec-websocket-key"] ?? "";
  const accept = hash("sha1", key + ACCEPT_GUID, "base64");
  const protocol = chooseSubprotocol(request);
  return Buffer.from(`${SWITCHING}${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`, "latin1");
}

export function refusalResponse({ status, reason }: Refusal): Buffer {
  const version = status === 426 ? `Sec-WebSocket-Version: ${WEBSOCKET_VERSION}\r\n` : "";
  return Buffer.from(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${version}Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`,
  );
}

/** The error with which Node reports a request that it cannot parse. */
export type RequestError = Error & { readonly code?: string; readonly rawPacket?: Uint8Array };

/** No request has come in time. */
export const LATE: RequestError = Object.assign(new Error("no request"), { code: "ERR_HTTP_REQUEST_TIMEOUT" });

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
