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
/** All of a request at once: V8 has this as machine code from the second client on, and a loop much later. */
const REQUEST = /^GET \/[\w\-.~!$&'()*+,;=:@%/?]* HTTP\/1\.1(?:\r\n[\w-]+:[\t\x20-\x7e]*)+$/;
const URL_AT = "GET ".length;
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
  const headers = REQUEST.test(text) ? headersOf(text) : undefined;
  // Without these Node refuses the request, or does not treat it as an upgrade.
  if (headers?.host === undefined || headers.upgrade === undefined || !asksForUpgrade(headers)) return undefined;
  const url = text.slice(URL_AT, text.indexOf(" ", URL_AT));
  return { request: { method: "GET", url, headers }, text, end: start + length + END.length };
}

function asksForUpgrade({ connection = "" }: IncomingHttpHeaders): boolean {
  return connection === "Upgrade" || connection.split(",").some((option) => option.trim().toLowerCase() === "upgrade");
}

/**
 * @param text of a plain request
 * @returns undefined: a header is there twice, or is one that Node does not just pass on
 */
export function headersOf(text: string): IncomingHttpHeaders | undefined {
  // A table from the start: an object would go through as many shapes as there are headers.
  const headers = Object.create(null) as IncomingHttpHeaders;
  for (let at = text.indexOf(NEW_LINE); at >= 0; ) {
    const colon = text.indexOf(":", at);
    const end = text.indexOf(NEW_LINE, colon);
    const name = text.slice(at + NEW_LINE.length, colon).toLowerCase();
    if (headers[name] !== undefined || UNUSUAL.has(name)) return undefined;
    headers[name] = text.slice(colon + 1, end < 0 ? text.length : end).trim();
    at = end;
  }
  return headers;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, end);
}
