// Payloads as people read them: numbers, JSON, text, bytes.
import { type Json, jsonOf } from "../json/json.ts";

interface Payload {
  readonly encoding: "utf8" | "base64";
  readonly payload: string;
  readonly truncated?: true | undefined;
}

export interface PayloadView {
  readonly kind: "empty" | "JSON" | "text" | "bytes";
  readonly text: string;
  /** Is there more than is in the text? */
  readonly isCut: boolean;
}

/** Bytes in a row of what is no text. */
const ROW = 8;
/** Rows that are shown. */
const MOST_ROWS = 512;
const MOST_BASE64 = Math.ceil((MOST_ROWS * ROW) / 3) * 4;
/** Characters that are shown: a page with many more is slow. */
const MOST_CHARACTERS = 100_000;

export function payloadView(given: Payload): PayloadView {
  const { encoding, payload, truncated } = given;
  if (payload === "") return { kind: "empty", text: "", isCut: false };
  if (encoding === "base64") {
    return { kind: "bytes", text: hexDump(payload), isCut: payload.length > MOST_BASE64 || truncated === true };
  }
  const json = jsonIn(given);
  const isJson = typeof json === "object";
  const text = isJson ? JSON.stringify(json, undefined, 2) : payload;
  return {
    kind: isJson ? "JSON" : "text",
    text: text.slice(0, MOST_CHARACTERS),
    isCut: text.length > MOST_CHARACTERS || truncated === true,
  };
}

const known = new WeakMap<Payload, { readonly json: Json | undefined }>();

/** undefined: it is no JSON. A text that is a number is one. */
export function jsonIn(given: Payload): Json | undefined {
  const before = known.get(given);
  if (before !== undefined) return before.json;
  const { encoding, payload, truncated } = given;
  const json = encoding === "base64" || truncated === true ? undefined : (jsonOf(payload) ?? numberOf(payload));
  known.set(given, { json });
  return json;
}

function numberOf(text: string): number | undefined {
  const number = /^\s*[-+]?\d[\d.eE+-]*\s*$/.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

/** The beginning in one line. */
export function preview({ encoding, payload }: Payload, most = 80): string {
  if (payload === "") return "(empty)";
  if (encoding === "base64") return bytesOf(payload.slice(0, most)).map(hex).join(" ");
  return printable(payload.slice(0, most * 2)).slice(0, most);
}

/** One line, of which all can be seen: publishers choose the characters. */
export function printable(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/[\p{C}\u2028\u2029]/gu, "\ufffd");
}

function hexDump(base64: string): string {
  const bytes = bytesOf(base64.slice(0, MOST_BASE64)).slice(0, MOST_ROWS * ROW);
  const rows: string[] = [];
  for (let start = 0; start < bytes.length; start += ROW) {
    const row = bytes.slice(start, start + ROW);
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
    rows.push(
      `${start.toString(16).padStart(4, "0")}  ${row
        .map(hex)
        .join(" ")
        .padEnd(ROW * 3)} ${text}`,
    );
  }
  return rows.join("\n");
}

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

function bytesOf(base64: string): number[] {
  return Array.from(atob(base64.slice(0, base64.length - (base64.length % 4))), (one) => one.charCodeAt(0));
}
