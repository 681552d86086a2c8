// As much of DER (X.690) as is needed of revocation lists, which Node cannot parse: issuer and next update. Every
// length is checked against the bytes that are there; what does not fit is undefined.

interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const OBJECT_IDENTIFIER = 0x06;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const BMP_STRING = 0x1e;

/** Names of the parts of a distinguished name, as OpenSSL writes them. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "1.2.840.113549.1.9.1": "emailAddress",
  "0.9.2342.19200300.100.1.25": "DC",
};

export interface RevocationListFacts {
  /** `CN=Root, O=Wren`. */
  readonly issuer: string;
  /** undefined: the list has none. */
  readonly nextUpdate: Date | undefined;
}

/**
 * [RFC 5280, 5.1]
 * @returns undefined: this is not a revocation list
 */
export function revocationListFacts(der: Buffer): RevocationListFacts | undefined {
  const list = elementAt(der, 0, der.length);
  const body = list?.tag === SEQUENCE ? elementAt(der, list.start, list.end) : undefined;
  if (body?.tag !== SEQUENCE) return undefined;
  const parts = elementsIn(der, body);
  if (parts?.[0]?.tag === INTEGER) parts.shift();
  const [, issuer, , nextUpdate] = parts ?? [];
  const name = issuer?.tag === SEQUENCE ? nameOf(der, issuer) : undefined;
  return name === undefined ? undefined : { issuer: name, nextUpdate: nextUpdate && timeOf(der, nextUpdate) };
}

function elementAt(der: Buffer, at: number, limit: number): Element | undefined {
  if (at + 2 > limit) return undefined;
  const tag = der.readUInt8(at);
  const first = der.readUInt8(at + 1);
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (more > 4 || first === 0x80 || at + 2 + more > limit) return undefined;
  const length = more === 0 ? first : der.readUIntBE(at + 2, more);
  const start = at + 2 + more;
  return start + length > limit ? undefined : { tag, start, end: start + length };
}

function elementsIn(der: Buffer, { start, end }: Element): Element[] | undefined {
  const found: Element[] = [];
  for (let at = start; at < end; ) {
    const element = elementAt(der, at, end);
    if (element === undefined) return undefined;
    found.push(element);
    at = element.end;
  }
  return found;
}

function nameOf(der: Buffer, name: Element): string | undefined {
  const parts: string[] = [];
  for (const set of elementsIn(der, name) ?? []) {
    if (set.tag !== SET) return undefined;
    for (const pair of elementsIn(der, set) ?? []) {
      const [type, value] = elementsIn(der, pair) ?? [];
      if (type?.tag !== OBJECT_IDENTIFIER || value === undefined) return undefined;
      const oid = oidOf(der.subarray(type.start, type.end));
      parts.push(`${ATTRIBUTES[oid] ?? oid}=${textOf(der, value)}`);
    }
  }
  return parts.join(", ");
}

function oidOf(bytes: Buffer): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = number * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (numbers.length > 0) numbers.push(number);
    else {
      const root = Math.min(2, Math.trunc(number / 40));
      numbers.push(root, number - 40 * root);
    }
    number = 0;
  }
  return numbers.join(".");
}

function textOf(der: Buffer, { tag, start, end }: Element): string {
  const bytes = der.subarray(start, end);
  const text =
    tag === BMP_STRING && bytes.length % 2 === 0 ? Buffer.from(bytes).swap16().toString("utf16le") : bytes.toString();
  return text.replaceAll(/\p{Cc}/gu, "?");
}

/** `260131120000Z` or `20260131120000Z`. */
function timeOf(der: Buffer, { tag, start, end }: Element): Date | undefined {
  if (tag !== UTC_TIME && tag !== GENERALIZED_TIME) return undefined;
  const text = der.toString("latin1", start, end);
  const digits = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/.exec(text);
  if (digits === null) return undefined;
  const [, written = "", month = "", day = "", hour = "", minute = "", second = "00"] = digits;
  const century = written.length === 4 ? "" : Number(written) >= 50 ? "19" : "20";
  const time = new Date(`${century}${written}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
