// The first bytes of a connection: CONNECT, or another protocol on the wrong port.
import { PacketType } from "@wrenmq/codec";

/** Record type and major version of a ClientHello. No CONNECT has these flags and this length. */
const TLS: readonly number[] = [0x16, 0x03];
const PROXY_2: readonly number[] = [0x0d, 0x0a, 0x0d, 0x0a];
const TEXTS: Readonly<Record<string, string>> = {
  "GET ": "HTTP",
  POST: "HTTP",
  HEAD: "HTTP",
  OPTI: "HTTP",
  CONN: "HTTP",
  PROX: "a PROXY header",
};

/** What is wrong with a connection that begins with these bytes (there is at least one); undefined: nothing so far. */
export function firstBytesProblem(bytes: Uint8Array, start: number, end: number): string | undefined {
  const isConnect = (bytes[start] as number) >> 4 === PacketType.Connect;
  if (isConnect && !beginsWith(TLS, bytes, start, end)) return undefined;
  const spoken = otherProtocol(bytes, start, end);
  return `the first packet is not CONNECT${spoken === undefined ? "" : `: it looks like ${spoken}`}`;
}

function otherProtocol(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (beginsWith(TLS, bytes, start, end)) return "TLS";
  if (beginsWith(PROXY_2, bytes, start, end)) return "a PROXY header";
  return TEXTS[String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 4)))];
}

function beginsWith(prefix: readonly number[], bytes: Uint8Array, start: number, end: number): boolean {
  return start + prefix.length <= end && prefix.every((byte, index) => bytes[start + index] === byte);
}
