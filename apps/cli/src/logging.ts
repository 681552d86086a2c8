// Structured log lines on stderr: JSON for programs, or a readable form for people. A line is written before the call
// returns, so that the last lines of a process are never lost.
import type { LogSection } from "@wrenmq/config";
import { type DestinationStream, type Logger, pino } from "pino";
import { LogFile, type WriteBytes } from "./log-file.ts";
import { printable } from "./printable.ts";

const LEVELS: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

/** @param writeBytes writes the bytes. Default: to stderr */
export function createLogger({ level, format = usualFormat() }: LogSection, writeBytes?: WriteBytes): Logger {
  const formatted = (line: string): string => (format === "json" ? line : readable(line));
  const file = new LogFile((lost, reason) => formatted(gapLine(lost, reason)), writeBytes);
  const destination: DestinationStream = { write: (line) => file.write(formatted(line)) };
  // The broker logs errors as `err`; plugins of others may not.
  const serializers = { err: pino.stdSerializers.err, error: pino.stdSerializers.err };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers }, destination);
}

/** Text on a terminal; otherwise programs read it. */
function usualFormat(): "text" | "json" {
  return process.stderr.isTTY ? "text" : "json";
}

/** `12:30:01.250 info  listening listener=default address=mqtt://127.0.0.1:1883` */
export function readable(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = typeof time === "string" ? time.slice(11, 23) : "";
  const name = (LEVELS[Number(level)] ?? String(level)).padEnd(5);
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${fieldText(value)}`);
  return `${clock} ${name} ${typeof msg === "string" ? msg : ""}${rest.join("")}\n`;
}

function fieldText(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=\p{C}]+$/u.test(value)) return value;
  if (typeof value !== "object" || value === null || !("message" in value)) return quoted(value);
  if (!("stack" in value) || typeof value.stack !== "string") return quoted(value.message);
  // The stack contains the message; it is written in one line too.
  return quoted(value.stack.replaceAll(/\s*\n\s*/g, " "));
}

/** JSON escapes controls up to U+001F only. */
const quoted = (value: unknown): string => printable(JSON.stringify(value));

function gapLine(lost: number, reason: string): string {
  const fields = { level: 40, time: new Date().toISOString(), lost, reason, msg: "lines of the log were lost" };
  return `${JSON.stringify(fields)}\n`;
}
