// Parser of the PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt), which reports the client of a
// trusted proxy. It takes the bytes as they arrive, within a bound, and not one byte after the header. Extensions
// (TLVs) are skipped.
import { isIPv4, isIPv6 } from "node:net";
import { canonicalAddress } from "../ip-address.ts";

export interface ProxySource {
  address: string;
  port: number;
}

export type ProxyStep =
  | { state: "more" }
  /**
   * `used`: bytes of this call that belong to the header. source undefined: the proxy connects for itself (health
   * check), or does not know the client.
   */
  | { state: "done"; used: number; source: ProxySource | undefined }
  | { state: "bad"; why: string };

const MAX_V1 = 107; // section 2.1: the longest line with its CRLF
const V2_PREFIX = 16;
const MAX_V2_BODY = 4096;
const V2_SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const V1_SIGNATURE = [0x50, 0x52, 0x4f, 0x58, 0x59, 0x20];
const CR = 0x0d;
const LF = 0x0a;

const MORE: ProxyStep = { state: "more" };
const bad = (why: string): ProxyStep => ({ state: "bad", why });

export class ProxyHeaderParser {
  private readonly head: number[] = [];
  /** Bytes of a version 2 header, as far as they are known. */
  private wanted = V2_PREFIX;

  /** Parses `bytes[start, end)`. After "done" or "bad" the parser must not be used again. */
  push(bytes: Uint8Array, start: number, end: number): ProxyStep {
    let at = start;
    for (const byte of bytes.subarray(start, end)) {
      at += 1;
      this.head.push(byte);
      const step = this.head[0] === CR ? this.stepV2() : this.stepV1(byte);
      if (step.state === "done") return { ...step, used: at - start };
      if (step.state === "bad") return step;
    }
    return MORE;
  }

  private stepV1(byte: number): ProxyStep {
    const length = this.head.length;
    if (length <= V1_SIGNATURE.length && byte !== V1_SIGNATURE[length - 1]) return bad("no PROXY header");
    if (byte === LF && this.head[length - 2] === CR) return parseLine(String.fromCharCode(...this.head.slice(0, -2)));
    return length >= MAX_V1 ? bad("version 1 header too long") : MORE;
  }

  private stepV2(): ProxyStep {
    const head = this.head;
    const length = head.length;
    if (length <= V2_SIGNATURE.length) {
      return head[length - 1] === V2_SIGNATURE[length - 1] ? MORE : bad("no PROXY header");
    }
    if (length === V2_PREFIX) {
      const body = Buffer.from(head).readUInt16BE(14);
      if (body > MAX_V2_BODY) return bad("version 2 header too long");
      this.wanted += body;
    }
    return length < this.wanted ? MORE : parseBinary(Buffer.from(head));
  }
}

/** `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443`, without the CRLF. */
function parseLine(line: string): ProxyStep {
  const [, family, source = "", target = "", sourcePort = "", targetPort = "", ...more] = line.split(" ");
  if (family === "UNKNOWN") return { state: "done", used: 0, source: undefined };
  const valid = family === "TCP4" ? isIPv4 : family === "TCP6" ? isIPv6 : undefined;
  if (valid === undefined) return bad("unknown address family");
  const address = valid(source) && valid(target) ? canonicalAddress(source) : undefined;
  if (address === undefined) return bad("malformed address");
  if (!isPort(sourcePort) || !isPort(targetPort) || more.length > 0) return bad("malformed port");
  return { state: "done", used: 0, source: { address, port: Number(sourcePort) } };
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function parseBinary(header: Buffer): ProxyStep {
  const version = header.readUInt8(12) >> 4;
  const command = header.readUInt8(12) & 0x0f;
  const family = header.readUInt8(13);
  const body = header.length - V2_PREFIX;
  if (version !== 2) return bad("unknown version");
  if (command === 0) return { state: "done", used: 0, source: undefined };
  if (command !== 1) return bad("unknown command");
  switch (family) {
    case 0x11: {
      if (body < 12) return bad("version 2 header too short");
      const address = header.subarray(16, 20).join(".");
      return { state: "done", used: 0, source: { address, port: header.readUInt16BE(24) } };
    }
    case 0x21: {
      if (body < 36) return bad("version 2 header too short");
      return { state: "done", used: 0, source: { address: ipv6Address(header, 16), port: header.readUInt16BE(48) } };
    }
    case 0x00: // AF_UNSPEC
    case 0x31: // a Unix socket at the proxy: no address to report
      return { state: "done", used: 0, source: undefined };
    default:
      return bad("unknown address family");
  }
}

function ipv6Address(bytes: Buffer, offset: number): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes.readUInt16BE(offset + i).toString(16));
  const text = groups.join(":");
  return canonicalAddress(text) ?? text;
}
