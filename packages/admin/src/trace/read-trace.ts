// Reads a trace file in pieces of any size. What is wrong with it is one error that names the line.
import { TRACE_VERSION, type TraceHeader, type TraceLine, type TraceRecord } from "./records.ts";

/** Characters of a line. */
const LONGEST_LINE = 4 * 1_048_576;
/** The largest length of bytes that a packet can have. [MQTT5 1.5.5] */
const MOST_BYTES = 268_435_455;

export class TraceError extends Error {
  override readonly name: string = "TraceError";
  readonly line: number;

  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`);
    this.line = line;
  }
}

export class TraceReader {
  header: TraceHeader | undefined = undefined;
  #rest = "";
  #line = 0;

  /** @returns the records that are complete now @throws TraceError */
  push(text: string): TraceRecord[] {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    const records = lines.flatMap((line) => this.#read(line));
    if (this.#rest.length > LONGEST_LINE) this.#fail(this.#line + 1, TOO_LONG);
    return records;
  }

  /** The file has ended. @throws TraceError when its last line is not whole, or it has no header */
  end(): void {
    if (this.#rest.trim() !== "") {
      this.#fail(this.#line + 1, "it is cut off: the file ends in the middle of the line");
    }
    if (this.header === undefined) this.#fail(1, NO_HEADER);
  }

  #read(line: string): TraceRecord[] {
    this.#line++;
    if (line.trim() === "") return [];
    if (line.length > LONGEST_LINE) this.#fail(this.#line, TOO_LONG);
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.#fail(this.#line, this.header === undefined ? NO_HEADER : "it is not JSON");
    }
    if (this.header === undefined) {
      this.header = this.#headerOf(value);
      return [];
    }
    const problem = problemOf(value);
    if (problem !== undefined) this.#fail(this.#line, problem);
    return [value as TraceRecord];
  }

  #headerOf(value: unknown): TraceHeader {
    const header = isObject(value) ? value : {};
    if (header["kind"] !== "header" || typeof header["version"] !== "number") this.#fail(this.#line, NO_HEADER);
    if (header["version"] !== TRACE_VERSION) {
      const given = String(header["version"]);
      this.#fail(this.#line, `the trace has version ${given}, this program reads version ${TRACE_VERSION}`);
    }
    const problem = problemOf(value);
    if (problem !== undefined) this.#fail(this.#line, problem);
    return value as TraceHeader;
  }

  #fail(line: number, problem: string): never {
    throw new TraceError(line, problem);
  }
}

/** A whole file. @throws TraceError */
export function readTrace(text: string): { readonly header: TraceHeader; readonly records: readonly TraceRecord[] } {
  const reader = new TraceReader();
  const records = reader.push(text);
  reader.end();
  return { header: reader.header as TraceHeader, records };
}

const NO_HEADER = "this is no trace: expected its header, such as wrenmq trace writes";
const TOO_LONG = `it is longer than ${LONGEST_LINE} characters`;

type Form = "text" | "number" | "flag" | "list" | "message" | "packet" | "object";

/** What each kind of line must have. */
const FIELDS: { readonly [Kind in TraceLine["kind"]]: Readonly<Record<string, Form>> } = {
  header: { version: "number", broker: "text", seconds: "number", payloads: "flag", limits: "object" },
  state: { client: "text", connected: "flag", subscriptions: "list", queued: "number", inflight: "number" },
  packet: { client: "text", connection: "number", direction: "text", packet: "packet" },
  authorize: { client: "text", action: "text", topic: "text", reasonCode: "number" },
  explain: { client: "text", action: "text", topic: "text", opinions: "list" },
  refused: { client: "text", connection: "number", reasonCode: "number" },
  disconnected: { client: "text", connection: "number", reasonCode: "number" },
  routed: { message: "message", sessions: "number", groups: "number", peers: "number" },
  delivered: { client: "text", message: "message", qos: "number", retain: "flag", waited: "flag" },
  queued: { client: "text", message: "message", qos: "number", retain: "flag", length: "number" },
  dropped: { client: "text", side: "text", message: "message", reason: "text" },
  lost: { records: "number" },
  end: { reason: "text", records: "number" },
};

const PACKETS: ReadonlySet<unknown> = new Set(
  "connect connack publish puback pubrec pubrel pubcomp subscribe suback unsubscribe unsuback pingreq pingresp disconnect auth".split(
    " ",
  ),
);

const MATCHES: { readonly [One in Form]: (value: unknown) => boolean } = {
  text: (value) => typeof value === "string",
  number: (value) => typeof value === "number" && Number.isFinite(value),
  flag: (value) => typeof value === "boolean",
  list: (value) => Array.isArray(value) && value.every(isObject),
  object: isObject,
  message: (value) => isObject(value) && typeof value["topic"] === "string" && hasBytes(value["payload"]),
  packet: (value) =>
    isObject(value) && PACKETS.has(value["type"]) && (value["type"] !== "publish" || hasBytes(value["payload"])),
};

function problemOf(value: unknown): string | undefined {
  if (!isObject(value)) return "expected a JSON object";
  const { kind, at } = value;
  if (typeof kind !== "string" || !Object.hasOwn(FIELDS, kind)) {
    return `kind: ${JSON.stringify(kind) ?? "nothing"} is none of ${Object.keys(FIELDS).join(", ")}`;
  }
  if (!MATCHES.number(at)) return "at: expected a time in milliseconds";
  for (const [name, form] of Object.entries(FIELDS[kind as TraceLine["kind"]])) {
    if (!MATCHES[form](value[name])) return `${name}: expected a ${form} (of ${kind})`;
  }
  return lengthProblem(value);
}

/** Lengths are numbers of bytes that a program may make: none is longer than a packet. */
function lengthProblem(value: unknown): string | undefined {
  if (Array.isArray(value)) return firstProblem(value);
  if (!isObject(value)) return undefined;
  const { length } = value;
  if (length !== undefined && !(Number.isInteger(length) && Number(length) >= 0 && Number(length) <= MOST_BYTES)) {
    return `length: expected a number of bytes up to ${MOST_BYTES}`;
  }
  return firstProblem(Object.values(value));
}

function firstProblem(values: readonly unknown[]): string | undefined {
  for (const value of values) {
    const problem = lengthProblem(value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function hasBytes(value: unknown): boolean {
  return isObject(value) && typeof value["length"] === "number";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
