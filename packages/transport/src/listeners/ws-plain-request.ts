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
  /** Where the bytes after the request begin. */
  readonly end: number;
}

/** Bytes. Longer requests are left to Node's parser, which has the limits. */
const LONGEST = 4_096;
const END = "\r\n\r\n";
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

/** @returns undefined: not of the usual form, or not complete; it may be valid all the same */
export function readPlainRequest(bytes: Buffer): PlainRequest | undefined {
  const length = bytes.indexOf(END, 0, "latin1");
  if (length < 0 || length > LONGEST) return undefined;
  const lines = bytes.toString("latin1", 0, length).split("\r\n");
  const url = REQUEST_LINE.exec(lines[0] as string)?.[1];
  if (url === undefined) return undefined;
  const headers: IncomingHttpHeaders = {};
  for (let index = 1; index < lines.length; index++) {
    const [, given, value] = HEADER.exec(lines[index] as string) ?? [];
    if (given === undefined) return undefined;
    const name = given.toLowerCase();
    if (name in headers || UNUSUAL.has(name)) return undefined;
    headers[name] = (value as string).trim();
  }
  // Without these Node refuses the request, or does not treat it as an upgrade.
  if (headers.host === undefined || headers.upgrade === undefined) return undefined;
  const isUpgrade = headers.connection?.split(",").some((option) => option.trim().toLowerCase() === "upgrade");
  return isUpgrade === true ? { request: { method: "GET", url, headers }, end: length + END.length } : undefined;
}
