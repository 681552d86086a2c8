// Parses the request that opens a WebSocket in the form that nearly all MQTT clients use: one GET in one piece, each
// header once, plain ASCII. Any other request is left to Node's HTTP parser, the plain twin, which takes several times
// as long for a connection.
import type { IncomingHttpHeaders } from "node:http";

/** What the decision about an upgrade uses of a request. */
export interface UpgradeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

export interface PlainRequest {
  readonly request: UpgradeRequest;
  /** The request without the bytes that end it; `headersOf` reads its headers again. */
  readonly text: string;
  /** Where the bytes after the request begin. */
  readonly end: number;
}

/** Bytes. Longer requests are left to Node's parser, which has the limits. */
const LONGEST = 4_096;
const NEW_LINE = "\r\n";
const END = NEW_LINE + NEW_LINE;
const REQUEST_LINE = /^GET (\/[\w\-.~!$&'()*+,;=:@%/?]*) HTTP\/1\.1$/;
const HEADER = /^([\w-]+):([\t\x20-\x7e]*)$/;
/** Headers about a body, and those that Node does not just pass on. */
const UNUSUAL: ReadonlySet<string> = new Set([
  "content-length",
  "transfer-encoding",
  "trailer",
  "te",
  "expect",
  "keep-alive",
  "proxy-connection",
  "set-cookie",
  "__proto__",
]);

/** @returns undefined: `bytes[start, end)` are not of the usual form, or not complete; they may be valid all the same */
export function readPlainRequest(bytes: Uint8Array, start: number, end: number): PlainRequest | undefined {
  const given = latin1(bytes, start, Math.min(end, start + LONGEST + END.length));
  const length = given.indexOf(END);
  if (length < 0) return undefined;
  const text = length + END.length === given.length ? given.slice(0, length) : latin1(bytes, start, start + length);
  const lineEnd = text.indexOf(NEW_LINE);
  const url = REQUEST_LINE.exec(text.slice(0, lineEnd))?.[1];
  const headers = url === undefined ? undefined : headersOf(text);
  // Without these Node refuses the request, or does not treat it as an upgrade.
  if (headers?.host === undefined || headers.upgrade === undefined) return undefined;
  const isUpgrade = headers.connection?.split(",").some((option) => option.trim().toLowerCase() === "upgrade");
  if (isUpgrade !== true) return undefined;
  return { request: { method: "GET", url, headers }, text, end: start + length + END.length };
}

/**
 * @param text a request line and headers
 * @returns undefined: a header is not of the usual form
 */
export function headersOf(text: string): IncomingHttpHeaders | undefined {
  const headers: IncomingHttpHeaders = {};
  const lines = text.split(NEW_LINE);
  for (let index = 1; index < lines.length; index++) {
    const [, given, value] = HEADER.exec(lines[index] as string) ?? [];
    if (given === undefined) return undefined;
    const name = given.toLowerCase();
    if (name in headers || UNUSUAL.has(name)) return undefined;
    headers[name] = (value as string).trim();
  }
  return headers;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, end);
}
